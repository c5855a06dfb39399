import ACMEClientAPI
import PKI

/// Whether a CA may issue for a name, as the DNS has it (RFC 8659), to this account and by this method (RFC 8657). What the records mean is
/// Let's Encrypt's reading of them, see ``CAARecord``.
struct CAAJudgement {
  /// The CA that is going to be asked.
  struct Issuer: Sendable, Hashable {
    /// What it recognises in CAA records as itself; it need not say.
    var identities: [String] = []
    /// The URL of the account there, where it is known.
    var account: String?
  }

  let finding: Finding?

  /// - Parameters:
  ///   - authorizations: what the name's own domain says, and those above it.
  ///   - issuer: nil where it is not known which CA is asked, or what it says of itself.
  init(_ name: DNSName, _ authorizations: [(domain: DNSName, lookup: Resolver.Lookup)], issuer: Issuer?) {
    finding = Self.finding(name, authorizations, issuer)
  }

  /// The first domain that has records decides; one that does not answer leaves it open, and a CA refuses then (Boulder's selectCAA).
  private static func finding(
    _ name: DNSName, _ authorizations: [(domain: DNSName, lookup: Resolver.Lookup)], _ issuer: Issuer?
  ) -> Finding? {
    for (domain, lookup) in authorizations {
      if lookup.outcome.isFailure || lookup.outcome == .aliasLoop {
        return Finding(
          .caaUnreadable, lookup.outcome == .failed(.serverFailure) ? .wrong : .doubtful, name: name,
          text:
            "The DNS does not say which CAs may issue for \(name): CAA of \(domain) gives \(lookup.outcome.phrase), and CAs refuse then; see to the "
            + "name servers of \(domain) and to DNSSEC.")
      }
      // Elsewhere a domain that does not exist has no records; a top-level domain that does not exist was taken away (Boulder's bdns).
      if lookup.outcome == .noName, domain.parent == nil, name.isPublic {
        return Finding(
          .caaUnreadable, .doubtful, name: name,
          text:
            "The top-level domain \(domain) of \(name) does not exist in the DNS that was asked, and CAs refuse then; correct the name, or have the "
            + "doctor ask a public resolver (doctor.resolver).")
      }
      guard case .records(let contents) = lookup.outcome else { continue }
      let records = contents.compactMap { if case .authorization(let record) = $0 { record } else { nil } }
      return verdict(of: records, issuer).map { code, severity, text in
        Finding(code, severity, name: name, text: "CAA of \(domain) \(text).")
      }
    }
    return nil
  }

  private static func verdict(of records: [CAARecord], _ issuer: Issuer?) -> (Finding.Code, Finding.Severity, String)? {
    func forbids(_ text: String) -> (Finding.Code, Finding.Severity, String)? { (.caaForbids, .wrong, text) }
    if let odd = records.first(where: \.isNotUnderstood) {
      return forbids(
        "has the critical property “\(odd.tag.shown)” (flags \(odd.flags)), which CAs like Let's Encrypt do not understand, so that they may not issue; "
          + "remove it, or set its flags to 0")
    }
    let issue = records.filter { $0.tag == "issue" }
    guard !issue.isEmpty else { return nil }
    let permissions = issue.compactMap(\.permission)
    let unreadable = issue.first { $0.permission == nil }.flatMap { odd in
      forbids(
        "has issue “\(odd.value.shown)”, which CAs cannot read, so that it allows nothing; write it as \"domain; tag=value\", without blanks within a "
          + "value and without a semicolon at the end")
    }
    let issuers = permissions.map(\.issuer).filter { !$0.isEmpty }
    guard !issuers.isEmpty else { return unreadable ?? forbids("lets no CA issue; add an issue property for yours") }
    let allowed = issuers.map(\.shown).joined(separator: ", ")
    guard let issuer else {
      return (.authorityUnread, .doubtful, "lets only \(allowed) issue, and which CA is asked is not known; see that it is one of these")
    }
    guard let identity = issuer.identities.first else {
      return (
        .authorityUnread, .doubtful,
        "lets only \(allowed) issue, and the CA does not say by which name it knows itself there; see that it is one of these"
      )
    }
    let own = permissions.filter { issuer.identities.contains($0.issuer) }
    guard !own.isEmpty else {
      let names = issuer.identities.map(\.shown).joined(separator: ", ")
      return unreadable
        ?? forbids(
          "lets only \(allowed) issue, and the CA is \(names)\(issuers.contains { $0.lowercased() == identity } ? ", in these very letters" : ""); add "
            + "issue \"\(identity.shown)\"")
    }
    let byMethod = own.filter { $0.allows(method: "http-01") }
    guard !byMethod.isEmpty else {
      return forbids("lets the CA issue by other methods than http-01; add it to validationmethods, a list with commas and without blanks")
    }
    let byAccount = byMethod.map { $0.allows(account: issuer.account) }
    if byAccount.contains(true) { return nil }
    return byAccount.contains(nil)
      ? (.caaForbids, .doubtful, "lets the CA issue to one account, and this connector has none there yet; see that it gets that one")
      : forbids("lets the CA issue to another account; set accounturi to \(issuer.account ?? "that of this connector"), once")
  }
}
