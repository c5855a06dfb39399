/// An answer that is no success. It is named as the answer to any message; what it says is the same for all.
public struct Refusal: Sendable, Hashable {
  /// The name of the message that is refused.
  public let refused: MessageName
  /// Why, as a word.
  public let error: ErrorToken
  /// Why, as a sentence for a person.
  public let errorText: String

  /// The refusal of a message.
  public init(of refused: MessageName, _ error: ErrorToken, _ errorText: String) {
    self.refused = refused
    self.error = error
    self.errorText = errorText
  }

  /// The refusal in an answer that has an `error`; nil if it has none, or is no answer.
  public init?(_ envelope: Envelope) {
    let name = envelope.name.description
    guard name.hasSuffix("Result"), let refused = MessageName(String(name.dropLast("Result".count))),
      let content = try? envelope.decode(Content.self)
    else { return nil }
    self.init(of: refused, content.error, content.errorText ?? "")
  }

  /// The answer as it is sent.
  public func text(correlation: Correlation) -> String {
    let properties = #"{"error":\#(JSONText.quoted(error.rawValue)),"errorText":\#(JSONText.quoted(errorText))}"#
    return Envelope.text(name: refused.result, correlation: correlation, properties: properties)
  }

  private struct Content: Decodable {
    let error: ErrorToken
    let errorText: String?
  }
}
