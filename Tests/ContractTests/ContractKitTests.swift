import Telemetry
import Testing
import Varlink
import VarlinkContract

/// A contract that is kept, and what breaks it.
private enum Kept {
  static let text = """
    # An interface.
    interface com.example.kept
    type Kind (plain, fancy)
    type Item (kind: Kind, note: ?string, extra: [string]int)
    method Get(items: []Item, trace: ?string) -> (item: ?Item, all: bool)
    error Gone (what: string)
    """

  enum Kind: String, Codable, Sendable { case plain, fancy }
  struct Item: Codable, Sendable {
    var kind: Kind
    var note: String?
    var extra: [String: Int]
  }
  struct Gone: VarlinkFault { var what: String }

  static func interface(_ text: String = text, faults: [any VarlinkFault.Type] = [Gone.self]) -> VarlinkInterface {
    VarlinkInterface("com.example.kept", text: Array(text.utf8), faults: faults)
  }

  struct Get: VarlinkMethod {
    static let interface = Kept.interface()
    struct Parameters: Codable, Sendable {
      var items: [Item]
      var trace: TraceContext?
    }
    struct Reply: Codable, Sendable {
      var item: Item?
      var all: Bool
    }
  }
}

@Suite("The contract kit")
struct ContractKitTests {
  private func violations(
    _ text: String, faults: [any VarlinkFault.Type] = [Kept.Gone.self], methods: [any VarlinkMethod.Type] = [Kept.Get.self]
  ) -> [String] {
    Contract(
      Kept.interface(text, faults: faults), methods: methods, texts: ["trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
    ).violations()
  }

  @Test("finds nothing where there is nothing")
  func kept() { #expect(violations(Kept.text) == []) }

  @Test(
    "finds a text that says something else than the type",
    arguments: [
      ("note: ?string", "note: string"), ("note: ?string", "note: ?int"), ("plain, fancy", "plain, fancy, odd"), ("item: ?Item", "item: []Item"),
      ("all: bool", "all: bool, more: int"), (", all: bool", ""), ("[string]int", "[]int"), ("what: string", "why: string"),
      ("note: ?string, ", ""), ("trace: ?string", "trace: string"), ("(items: []Item, trace: ?string)", "(items: []Item)"),
      ("com.example.kept", "com.example.other"), ("method Get", "method Fetch"), ("error Gone", "error Lost"),
    ])
  func differs(said: String, instead: String) { #expect(violations(Kept.text.replacing(said, with: instead)) != []) }

  @Test("finds a type that is missing")
  func missing() {
    #expect(violations(Kept.text, methods: []) == ["method Get is declared, and has no Swift type"])
    #expect(violations(Kept.text, faults: []) == ["error Gone is declared, and has no Swift type"])
  }

  @Test(
    "refuses what is no interface text",
    arguments: [
      "", "interface", "interface x", "interface com.example\ntype lower (a: int)", "interface com.example\ntype A (a: int",
      "interface com.example\ntype A (a: B)",
      "interface com.example\ntype A (a: int, b)", "interface com.example\ntype A (a: ??int)", "interface com.example\ntype A (a: int, a: int)",
      "interface com.example\nmethod A()", "interface com.example\ntype A (a: int)\nerror A ()", "interface com.example\ntype A (a: int;)",
    ])
  func grammar(text: String) { #expect(throws: (any Error).self) { try InterfaceGrammar(text) } }
}
