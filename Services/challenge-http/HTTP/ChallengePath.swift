import ResponderAPI

/// The path of an HTTP-01 challenge (RFC 8555, section 8.3), at the root or below any path: a reverse proxy may have put one in front.
enum ChallengePath {
  private static let folder = "/.well-known/acme-challenge"

  /// The last part of a request target in that folder; nil for every other target.
  static func lastPart(ofTarget target: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer>? {
    let path = target.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")), path[..<slash].suffix(folder.utf8.count).elementsEqual(folder.utf8) else { return nil }
    return path[(slash + 1)...]
  }
}
