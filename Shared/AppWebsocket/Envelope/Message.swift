import FoundationEssentials

/// A message of the device protocol: what stands in it beside the envelope. Its type is named as the message.
public protocol Message: Sendable, Hashable {
  /// Its `mt`.
  static var name: MessageName { get }

  /// Reads the message from the object that came. Properties that are not of the message do not count.
  init(from envelope: Envelope) throws(MessageError)

  /// The message's own properties, as the text of a JSON object.
  var properties: String { get }
}

extension Message {
  /// The name of the type.
  public static var name: MessageName { MessageName(of: Self.self) }

  /// The message as it is sent when it answers nothing.
  public var text: String { text(correlation: .none) }

  /// The message as it is sent: compact, `mt` first, then what is echoed.
  public func text(correlation: Correlation) -> String {
    Envelope.text(name: Self.name, correlation: correlation, properties: properties)
  }
}

extension Message where Self: Codable {
  /// Decodes the message.
  public init(from envelope: Envelope) throws(MessageError) {
    self = try envelope.decode(Self.self)
  }

  /// The message encoded, its properties in the order of their names.
  public var properties: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Messages consist of texts, integers, booleans and lists of these, which always can be encoded.
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }
}
