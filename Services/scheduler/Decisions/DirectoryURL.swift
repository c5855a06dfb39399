/// Which CA a directory's URL means, however it is written: acme-client takes the directory (RFC 8555, section 7.1.1) or its parent, with or
/// without a slash at the end.
struct DirectoryURL: Hashable {
  private let parent: String

  /// The same text for the same CA.
  var key: String { parent }

  init(_ text: String) {
    var rest = Self.withoutSlashes(text[...])
    if rest.hasSuffix("/directory") { rest = Self.withoutSlashes(rest.dropLast("/directory".count)) }
    // Scheme and host are the same in capitals, a path is not (RFC 3986, section 6.2.2.1).
    let slashes = rest.indices.filter { rest[$0] == "/" }.dropFirst(2)
    let path = slashes.first ?? rest.endIndex
    parent = rest[..<path].lowercased() + rest[path...]
  }

  private static func withoutSlashes(_ text: Substring) -> Substring {
    var text = text
    while text.last == "/" { text.removeLast() }
    return text
  }
}
