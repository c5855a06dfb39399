/// A record that says which CAs may issue for a domain (RFC 8659, section 4).
struct CAARecord: Sendable, Hashable {
  let flags: UInt8
  /// In lower case.
  let tag: String
  let value: String

  /// A CA that does not understand the tag may not issue (section 4.1.1).
  var isCritical: Bool { flags & 0x80 != 0 }

  /// The tags whose meaning CAs know: those of RFC 8659, and those registered since that say nothing about host names.
  private static let known: Set = ["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"]
  /// Whether it forbids by being there.
  var isNotUnderstood: Bool { isCritical && !Self.known.contains(tag) }

  /// What an `issue` property allows (section 4.2): a CA by its domain, perhaps under conditions.
  struct Permission: Sendable, Hashable {
    /// In lower case; empty for nobody.
    let issuer: String
    /// By tag, in lower case (RFC 8657 has `accounturi` and `validationmethods`).
    let parameters: [String: [String]]
  }

  /// What it allows; nobody where it cannot be read, as section 4.2 has it.
  var permission: Permission {
    let parts = value.split(separator: ";", omittingEmptySubsequences: false).map(\.trimmed)
    let issuer = parts[0].lowercased()
    var parameters: [String: [String]] = [:]
    for part in parts.dropFirst() where !part.isEmpty {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(\.trimmed)
      guard pair.count == 2, !pair[0].isEmpty else { return Permission(issuer: "", parameters: [:]) }
      parameters[pair[0].lowercased(), default: []].append(pair[1])
    }
    return Permission(issuer: issuer, parameters: parameters)
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var text = self
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}
