import ACMEClientAPI
import PKI

/// Whether a CA may issue for a name, as the DNS has it (RFC 8659), to this account and by this method (RFC 8657).
struct CAAJudgement {
  /// The CA that is going to be asked.
  struct Issuer: Sendable, Hashable {
    /// What it recognises in CAA records as itself; it need not say.
    var identities: [String] = []
    /// The URL of the account there, where it is known.
    var account: String?
  }

  let finding: Finding?

  /// - Parameter authorizations: what the name's own domain says, and those above it.
  init(_ name: DNSName, _ authorizations: [(domain: DNSName, lookup: Resolver.Lookup)], issuer: Issuer?) {
    finding = Self.finding(name, authorizations, issuer)
  }

  /// The first domain that has records decides; one that does not answer leaves it open, and a CA refuses then.
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
      guard case .records(let contents) = lookup.outcome else { continue }
      let records = contents.compactMap { if case .authorization(let record) = $0 { record } else { nil } }
      return verdict(of: records, issuer).map { severity, text in
        Finding(.caaForbids, severity, name: name, text: "CAA of \(domain) \(text).")
      }
    }
    return nil
  }

  private static func verdict(of records: [CAARecord], _ issuer: Issuer?) -> (Finding.Severity, String)? {
    if let odd = records.first(where: \.isNotUnderstood) {
      return (.wrong, "has the critical property “\(odd.tag.shown)”, which no CA knows, so that none may issue; remove it")
    }
    let permissions = records.filter { $0.tag == "issue" }.map(\.permission)
    guard !permissions.isEmpty else { return nil }
    let issuers = permissions.map(\.issuer).filter { !$0.isEmpty }
    guard !issuers.isEmpty else { return (.wrong, "lets no CA issue; add an issue property for yours") }
    let allowed = issuers.map(\.shown).joined(separator: ", ")
    guard let identities = issuer?.identities.map({ $0.lowercased() }), !identities.isEmpty else {
      return (.doubtful, "lets only \(allowed) issue, and the CA does not say by which name it knows itself there; see that it is one of these")
    }
    let own = permissions.filter { identities.contains($0.issuer) }
    guard !own.isEmpty else {
      return (
        .wrong, "lets only \(allowed) issue, and the CA is \(identities.map(\.shown).joined(separator: ", ")); add issue \"\(identities[0].shown)\""
      )
    }
    let byMethod = own.filter { $0.parameters["validationmethods"].map { $0.allows(method: "http-01") } ?? true }
    guard !byMethod.isEmpty else { return (.wrong, "lets the CA issue by other methods than http-01; add it to validationmethods") }
    let byAccount = byMethod.filter { permission in permission.parameters["accounturi"].map { $0 == issuer?.account.map { [$0] } } ?? true }
    guard byAccount.isEmpty else { return nil }
    return issuer?.account.map { (.wrong, "lets the CA issue to another account; set accounturi to \($0)") }
      ?? (.doubtful, "lets the CA issue to one account, and this connector has none there yet; see that it gets that one")
  }
}

extension [String] {
  /// RFC 8657, section 4: one list of labels with commas between them.
  fileprivate func allows(method: String) -> Bool {
    count == 1 && self[0].split(separator: ",").contains { $0.filter { $0 != " " } == method }
  }
}
