import Testing

@testable import ACMEConnectorCommand

@Suite("Tables")
struct TableTests {
  struct Row {
    var name: String
    var text: String?
  }

  private func table(_ rows: [Row]) -> Table {
    Table(rows, [.init("NAME") { $0.name }, .init("TEXT") { $0.text }])
  }

  @Test("a column is as wide as its widest cell, and no line ends in spaces")
  func widths() {
    let lines = table([Row(name: "a", text: "first"), Row(name: "long.example", text: nil)]).lines()
    #expect(lines == ["NAME          TEXT", "a             first", "long.example  -"])
  }

  @Test("on a terminal a line is cut to its width, elsewhere it is whole")
  func cutting() {
    let rows = [Row(name: "a", text: "0123456789")]
    #expect(table(rows).lines(width: 10) == ["NAME  TEXT", "a     012…"])
    #expect(table(rows).lines() == ["NAME  TEXT", "a     0123456789"])
  }

  @Test("what a device calls itself, or a CA says, can neither steer the terminal nor reorder the line")
  func controlCharacters() {
    let lines = table([Row(name: "a\u{1B}[2J\r\n", text: "b"), Row(name: "\u{9B}2J\u{202E}é", text: "c\u{2066}")]).lines()
    #expect(lines[1] == "a\u{FFFD}[2J\u{FFFD}\u{FFFD}  b")
    #expect(lines[2] == "\u{FFFD}2J\u{FFFD}é    c\u{FFFD}")
  }
}
