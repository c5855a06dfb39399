/// How the CA can reach a person: `mailto:` URLs with one address and nothing else (RFC 8555, section 7.3).
enum Contact {
  /// The contacts as a CA takes them. A bare address becomes a URL, several in one become several; header fields and what is empty is left out.
  static func urls(_ contacts: [String]) -> [String] {
    var urls: [String] = []
    for contact in contacts {
      let text = String(contact.filter { !$0.isWhitespace }.prefix { $0 != "?" })
      let isMail = text.lowercased().hasPrefix("mailto:")
      guard isMail || !text.contains(":") else {
        urls.append(text)
        continue
      }
      urls += text.dropFirst(isMail ? 7 : 0).split(separator: ",").map { "mailto:\($0)" }
    }
    return urls.filter { $0.utf8.count <= 320 }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
