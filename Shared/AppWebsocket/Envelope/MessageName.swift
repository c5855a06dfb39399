public import PKI

/// The name of a message, its property `mt`: letters and digits, at most 64.
public struct MessageName: TextValue {
  /// The name as it stands in `mt`.
  public let description: String

  /// The name that `text` spells, or nil if it can be none.
  public init?(_ text: String) {
    guard (1...64).contains(text.utf8.count), text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else { return nil }
    self.description = text
  }

  /// The name of a type of ours, which is named as its message.
  init(of type: any Message.Type) {
    self.description = _typeName(type, qualified: false)
  }

  private init(known text: String) {
    self.description = text
  }

  /// The name of the answer.
  public var result: MessageName { MessageName(known: description + "Result") }

  /// Whether a message of this name is never answered, known or not: answers and indications, lest two ends answer each other for ever, and
  /// what a PBX tells of itself.
  public var isNeverAnswered: Bool {
    description == "PbxInfo"
      || ["Result", "Info", "Added", "Updated", "Removed"].contains(where: description.hasSuffix)
  }

  /// The name of ``Login``.
  static let appLogin = MessageName(known: "AppLogin")
}
