/// One link of a `Link` header field (RFC 8288, section 3).
struct LinkHeader: Sendable, Hashable {
  let target: String
  let relations: [String]

  /// The links of one field line; what is not well formed ends the reading.
  static func parse(_ field: String) -> [LinkHeader] {
    var rest = Substring(field)
    var links: [LinkHeader] = []
    while let link = next(in: &rest) { links.append(link) }
    return links
  }

  private static func next(in rest: inout Substring) -> LinkHeader? {
    rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
    guard rest.first == "<", let end = rest.firstIndex(of: ">") else { return nil }
    let target = String(rest[rest.index(after: rest.startIndex)..<end])
    rest = rest[rest.index(after: end)...]
    var relations: [String] = []
    while let parameter = nextParameter(in: &rest) {
      guard parameter.name == "rel", relations.isEmpty else { continue }
      relations = parameter.value.lowercased().split(separator: " ").map(String.init)
    }
    return LinkHeader(target: target, relations: relations)
  }

  private static func nextParameter(in rest: inout Substring) -> (name: String, value: String)? {
    rest = rest.drop { $0 == " " || $0 == "\t" }
    guard rest.first == ";" else { return nil }
    rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
    let name = rest.prefix { !"=;, \t".contains($0) }
    rest = rest.dropFirst(name.count).drop { $0 == " " || $0 == "\t" }
    guard rest.first == "=" else { return (name.lowercased(), "") }
    rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
    guard rest.first == "\"" else {
      let value = rest.prefix { !";, \t".contains($0) }
      rest = rest.dropFirst(value.count)
      return (name.lowercased(), String(value))
    }
    rest = rest.dropFirst()
    var value = ""
    while let character = rest.popFirst(), character != "\"" {
      value.append(character == "\\" ? rest.popFirst() ?? character : character)
    }
    return (name.lowercased(), value)
  }
}
