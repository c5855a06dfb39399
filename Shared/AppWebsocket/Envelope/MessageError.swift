/// Why a message is not understood. Equality is that of the code; the text is for people, and holds names of properties but no values.
public struct MessageError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The word of the device protocol: badMessage, missingProperty or tooLarge.
  public let code: ErrorToken
  /// What is wrong, as a sentence.
  public let text: String

  init(_ code: ErrorToken, _ text: String) {
    self.code = code
    self.text = text
  }

  /// Says which property keeps a message from being read.
  init(_ error: any Error) {
    switch error {
    case let error as MessageError:
      self = error
    case DecodingError.keyNotFound(let key, _):
      self.init(.missingProperty, "The property \(key.stringValue) is missing.")
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context), DecodingError.dataCorrupted(let context):
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      self.init(.badMessage, path.isEmpty ? "The message is not what its name says." : "The property \(path) has a value that is not possible there.")
    default:
      self.init(.badMessage, "The message is not understood.")
    }
  }

  /// The sentence.
  public var description: String { text }

  /// Whether both have the same code.
  public static func == (left: MessageError, right: MessageError) -> Bool { left.code == right.code }

  /// Hashes the code.
  public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
