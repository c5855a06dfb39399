/// A nonce of the CA's (RFC 8555, section 6.5): base64url, good for one request.
struct Nonce: Sendable, Hashable, CustomStringConvertible {
  let description: String

  init?(_ text: String) {
    let isNonce = text.utf8.allSatisfy { octet in
      switch octet {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isNonce, (1...512).contains(text.utf8.count) else { return nil }
    description = text
  }
}
