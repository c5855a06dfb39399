/// What a device and the gateway both know. It is part of the login digest, so it is kept as it is, and shown nowhere.
struct LoginSecret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  /// 1 to 63 printable ASCII characters: what the fields of a PBX and of its plugins take.
  let value: String

  init?(_ text: String) {
    guard (1...63).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else { return nil }
    value = text
  }

  /// A secret from a file, where editors leave a newline at the end.
  init?(fileContent: [UInt8]) {
    let line = fileContent.last == UInt8(ascii: "\n") ? fileContent.dropLast() : fileContent[...]
    self.init(String(decoding: line, as: UTF8.self))
  }

  var description: String { "(secret)" }
  var customMirror: Mirror { Mirror(self, children: []) }
}

extension LoginSecret: Codable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let secret = LoginSecret(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a login's secret")
    }
    self = secret
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }
}
