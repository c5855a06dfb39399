/// A record that says which CAs may issue for a domain (RFC 8659, section 4), read as Let's Encrypt reads it: the rules of Boulder's va/caa.go stand at
/// what follows them. Where it is stricter than the RFC, so is this.
struct CAARecord: Sendable, Hashable {
  let flags: UInt8
  /// In lower case: case does not count (section 4.1; filterCAA).
  let tag: String
  let value: String

  /// Whether it forbids by being there: a CA may not issue that does not understand a critical property (section 4.1). Boulder (filterCAA) takes the bit 1
  /// for critical beside 128, for many have misread the RFC, and understands four tags; contactemail and contactphone are not among them.
  var isNotUnderstood: Bool { flags & (0x80 | 0x01) != 0 && !Self.understood.contains(tag) }
  private static let understood: Set = ["issue", "issuewild", "iodef", "issuemail"]

  /// What an `issue` property allows (section 4.2): a CA by its domain, perhaps under conditions.
  struct Permission: Sendable, Hashable {
    struct Parameter: Sendable, Hashable {
      /// As it is written: a condition in other letters is none (caaAccountURIMatches, caaValidationMethodMatches).
      let tag: String
      let value: String
    }
    /// As it is written, for it is compared octet by octet (caaDomainMatches); empty for nobody.
    let issuer: String
    /// In their order; the same tag may stand there twice.
    let parameters: [Parameter]
  }

  /// What it allows; nil where it cannot be read, and allows nobody anything (parseCAARecord): where a parameter is none, also an empty one after the
  /// last semicolon unless it is the only one, has a tag of other characters than letters and digits, or a blank in its value.
  var permission: Permission? {
    let parts = Array(value.utf8).split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(\.trimmed)
    let issuer = String(decoding: parts[0], as: UTF8.self)
    if parts.count == 2, parts[1].isEmpty { return Permission(issuer: issuer, parameters: []) }
    var parameters: [Permission.Parameter] = []
    for part in parts.dropFirst() {
      guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
      let (tag, value) = (part[..<equals].trimmed, part[(equals + 1)...].trimmed)
      guard tag.allSatisfy(\.isLetterOrDigit), value.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
      parameters.append(.init(tag: String(decoding: tag, as: UTF8.self), value: String(decoding: value, as: UTF8.self)))
    }
    return Permission(issuer: issuer, parameters: parameters)
  }
}

extension CAARecord.Permission {
  /// Whether it lets an account issue (RFC 8657, section 3): the one that it names, any if it names none, and none if it names two
  /// (caaAccountURIMatches). Nil where it names one, and ours is not known yet.
  func allows(account: String?) -> Bool? {
    let named = values(of: "accounturi")
    guard let only = named.first else { return true }
    return named.count == 1 ? account.map { $0 == only } : false
  }

  /// Whether it lets names be validated by a method (RFC 8657, section 4): one of those in its list, without blanks, up to the first that is no word
  /// (caaValidationMethodMatches).
  func allows(method: String) -> Bool {
    let lists = values(of: "validationmethods")
    guard let only = lists.first else { return true }
    let methods = only.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    let words = methods.prefix { !$0.isEmpty && $0.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") } }
    return lists.count == 1 && words.contains { $0.elementsEqual(method.utf8) }
  }

  private func values(of tag: String) -> [String] { parameters.filter { $0.tag == tag }.map(\.value) }
}

extension ArraySlice<UInt8> {
  /// Without the blanks at both ends.
  fileprivate var trimmed: ArraySlice<UInt8> {
    func isBlank(_ octet: UInt8) -> Bool { octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") }
    var rest = drop(while: isBlank)
    while let last = rest.last, isBlank(last) { rest.removeLast() }
    return rest
  }
}

extension UInt8 {
  fileprivate var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: false
    }
  }
}
