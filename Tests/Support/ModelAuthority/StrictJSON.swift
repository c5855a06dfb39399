import FoundationEssentials
import PKI

/// JSON that has no members but those that are known: what a client sends is held to the RFC's tables.
enum StrictJSON {
  static func decode<Value: Decodable>(_ type: Value.Type, members: Set<String>, from bytes: [UInt8], what: String) throws -> Value {
    let data = Data(bytes)
    guard let found = try? JSONDecoder().decode([String: Anything].self, from: data) else { throw Deviation("\(what) is no JSON object") }
    if let strange = found.keys.first(where: { !members.contains($0) }) { throw Deviation("\(what) has a member \(strange)") }
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch {
      throw Deviation("\(what) is not what the RFC says: \(error)")
    }
  }

  /// Base64url without padding (RFC 8555, section 6.1).
  static func octets(_ text: String, what: String) throws -> [UInt8] {
    guard let octets = Base64URL.decode(text) else { throw Deviation("\(what) is no base64url without padding") }
    return octets
  }

  private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
  }
}
