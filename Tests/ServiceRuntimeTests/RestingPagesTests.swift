import FoundationEssentials
import Testing

@testable import ServiceRuntime

@Suite("What a process has in memory of its executable")
struct RestingPagesTests {
  /// Kibibytes of the executable's code that are mapped.
  private func mappedCode() throws -> Int {
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let smaps = try #require(try OpenFile("/proc/self/smaps", 0)?.read(limit: 1 << 22))
    var isCode = false
    var sum = 0
    for line in String(decoding: smaps, as: UTF8.self).split(separator: "\n") {
      if line.hasSuffix(executable) { isCode = line.contains(" r-xp ") } else if line.contains("-"), line.contains(" 00:00 ") { isCode = false }
      if isCode, line.hasPrefix("Rss:") { sum += line.split(separator: " ").compactMap { Int($0) }.first ?? 0 }
    }
    return sum
  }

  @Test("is given back, and the process goes on")
  func givenBack() throws {
    let before = try mappedCode()
    RestingPages.giveBack()
    let after = try mappedCode()
    #expect(before > 1000 && after < before)
    #expect((1...100).map(String.init).joined().count == 192)
  }
}
