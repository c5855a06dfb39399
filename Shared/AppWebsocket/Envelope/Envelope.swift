import FoundationEssentials

/// A text message as it came: one JSON object with `mt`, and `src` and `api` where they are given. What else stands in it is read when it is known
/// what it should be.
public struct Envelope: Sendable {
  /// The most octets of a message, all fragments together.
  public static let maximumSize = 65_536

  /// Its name.
  public let name: MessageName
  /// What its answer echoes.
  public let correlation: Correlation

  private let text: [UInt8]
  private let scan: JSONScanner

  /// Reads a message. It fails for what is no JSON object, is too large or nested too deep, or has no `mt`; such a message cannot be answered.
  public init(_ text: String) throws(MessageError) {
    guard text.utf8.count <= Self.maximumSize else {
      throw MessageError(.tooLarge, "The message is larger than \(Self.maximumSize) bytes.")
    }
    self.text = Array(text.utf8)
    self.scan = try JSONScanner(self.text)
    let head: Head
    do {
      head = try JSONDecoder().decode(Head.self, from: Data(self.text))
    } catch {
      throw MessageError(error)
    }
    guard let correlation = Correlation(src: head.src, api: head.api) else {
      throw MessageError(.badMessage, "The property src or api is longer than \(Correlation.maximumLength) characters.")
    }
    self.name = head.mt
    self.correlation = correlation
  }

  private struct Head: Decodable {
    let mt: MessageName
    let src: String?
    let api: String?
  }

  /// The value of a property as it was sent, or nil if there is none.
  public subscript(property: String) -> RawJSON? {
    scan.properties.first { $0.name == property }.map {
      RawJSON(
        text: String(decoding: text[$0.text], as: UTF8.self),
        canonical: String(decoding: scan.canonical[$0.canonical], as: UTF8.self))
    }
  }

  /// The names of all properties but those of the envelope, in their order: what may be logged of a message that nobody knows.
  public var propertyNames: [String] {
    scan.properties.map(\.name).filter { !["mt", "src", "api"].contains($0) }
  }

  /// Decodes the object, whatever its name.
  func decode<Value: Decodable>(_ type: Value.Type) throws(MessageError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(text))
    } catch {
      throw MessageError(error)
    }
  }

  /// The text of a message: `mt`, what is echoed, then the properties of an object in JSON.
  static func text(name: MessageName, correlation: Correlation, properties: String) -> String {
    var text = #"{"mt":"\#(name)""#
    if let src = correlation.src { text += #","src":\#(JSONText.quoted(src))"# }
    if let api = correlation.api { text += #","api":\#(JSONText.quoted(api))"# }
    let inside = properties.dropFirst().dropLast()
    return text + (inside.isEmpty ? "}" : ",\(inside)}")
  }
}
