import ACMEClientAPI
import PKI

/// What the DNS says of a name's addresses, which of them are looked at, and what is wrong already.
struct NameJudgement: Sendable {
  private(set) var findings: [Finding] = []
  /// Where the doctor goes, IPv6 first, as CAs do.
  private(set) var addresses: [IPAddress] = []
  /// This machine's own resolver leads elsewhere, so that it may not see what the CA sees.
  private(set) var isSplit = false

  /// More addresses of a name are not looked at.
  static let mostAddresses = 8

  /// - Parameters:
  ///   - own: What this machine's resolver says, where another one was asked.
  init(_ name: DNSName, ipv6: Resolver.Lookup, ipv4: Resolver.Lookup, own: [IPAddress]?, permission: AddressPermission) {
    let all = ipv6.addresses + ipv4.addresses
    let lookups = [ipv6, ipv4]
    if lookups.contains(where: { $0.outcome == .aliasLoop }) {
      findings.append(
        Finding(.cnameLoop, .wrong, name: name, text: "The aliases (CNAME) of \(name) lead in a circle, or on and on; correct the DNS."))
    } else if let failure = lookups.first(where: { $0.outcome.isFailure }) {
      findings.append(Self.unanswered(name, failure, type: failure == ipv6 ? "AAAA" : "A", isPartial: !all.isEmpty))
    } else if all.isEmpty {
      findings.append(Self.absent(name, ipv6, ipv4, isPublic: own != nil))
    }
    let shut = all.filter { !permission.allows($0) }
    // Asked from inside, a name may have an address that nobody outside gets to see.
    let isDoubtful = own == nil && shut.count == all.count
    for address in shut {
      let advice =
        isDoubtful
        ? "if the public DNS has another one, have the doctor ask a public resolver (doctor.resolver); if your CA goes there, list it in "
          + "doctor.privateAddresses"
        : "correct the DNS, or list it in doctor.privateAddresses if your CA goes there"
      findings.append(
        Finding(
          address.purpose == .privateHost ? .privateAddress : .addressNotAllowed, isDoubtful ? .doubtful : .wrong, name: name,
          address: address.description, text: "\(name) has \(address), \(address.purpose.phrase), where no public CA goes; \(advice)."))
    }
    let open = [ipv6.addresses, ipv4.addresses].map { $0.filter(permission.allows) }
    addresses = open.flatMap { $0.prefix(Self.mostAddresses / 2) }
    let left = open.map { max(0, $0.count - Self.mostAddresses / 2) }.reduce(0, +)
    if left > 0 {
      findings.append(
        Finding(
          .manyAddresses, .doubtful, name: name,
          text:
            "\(name) has \(addresses.count + left) addresses, of which \(addresses.count) are looked at, and the CA takes any; look at the others "
            + "by hand."))
    }
    if let own, !own.isEmpty, addresses.contains(where: { $0.purpose == .host }), !own.contains(where: { $0.purpose == .host }) {
      isSplit = true
      findings.append(
        Finding(
          .splitHorizon, .doubtful, name: name, address: own[0].description,
          text: "For this machine \(name) is \(own[0]), and for the public \(addresses[0]); what is seen from inside may not be what the CA sees."))
    }
  }

  private static func unanswered(_ name: DNSName, _ lookup: Resolver.Lookup, type: String, isPartial: Bool) -> Finding {
    // A server that fails fails for all; one that is silent, or will not answer this machine, may answer the CA.
    let isCertain = lookup.outcome == .failed(.serverFailure) && !isPartial
    return Finding(
      .noDNSAnswer, isCertain ? .wrong : .doubtful, name: name,
      text:
        "The DNS gives no answer for the \(type) record of \(name)\(through(lookup)) (\(lookup.outcome.phrase)); check its name servers and DNSSEC, "
        + "and the resolver that was asked.")
  }

  /// - Parameter isPublic: whether another resolver than this machine's own was asked, which perhaps knows no more than what is inside.
  private static func absent(_ name: DNSName, _ ipv6: Resolver.Lookup, _ ipv4: Resolver.Lookup, isPublic: Bool) -> Finding {
    let isUnknown = ipv6.outcome == .noName || ipv4.outcome == .noName
    return Finding(
      .noAddress, isPublic ? .wrong : .doubtful, name: name,
      text: isUnknown
        ? "\(name)\(ipv4.aliases.last.map { " is an alias of \($0.shownAsName), which" } ?? "") does not exist in the DNS (NXDOMAIN); add an A or AAAA record, or "
          + "correct the name."
        : "\(name) has neither an A nor an AAAA record in the DNS\(through(ipv4)); add one for the server that is to answer"
          + (isPublic ? "." : ", or have the doctor ask a public resolver (doctor.resolver)."))
  }

  private static func through(_ lookup: Resolver.Lookup) -> String { lookup.aliases.last.map { ", by its alias \($0.shownAsName)" } ?? "" }

  /// Adds what was found at the addresses: IPv6 that does not answer where IPv4 does is one thing, and what address translation hides another.
  mutating func add(_ judgements: [(address: IPAddress, judgement: AddressJudgement)], name: DNSName) {
    let found = judgements.map { ($0.address, $0.judgement.findings) }
    func works(overIPv6 isIPv6: Bool) -> Bool { found.contains { $0.0.isIPv6 == isIPv6 && [.answered, .slow].contains($0.1.first?.code) } }
    let (worksOverIPv6, worksOverIPv4) = (works(overIPv6: true), works(overIPv6: false))
    for (address, those) in found {
      guard let first = those.first, [.portClosed, .filtered].contains(first.code), address.isIPv6 ? worksOverIPv4 : worksOverIPv6 else {
        findings += those
        continue
      }
      guard address.isIPv6 else {
        findings.append(
          Finding(
            first.code, .doubtful, name: name, address: first.address,
            text: "\(first.text.dropLast()); CAs that try IPv6 first do not notice, for there \(name) answers."))
        continue
      }
      findings.append(
        Finding(
          .brokenIPv6, first.severity, name: name, address: first.address,
          text:
            "\(name) answers over IPv4, but \(address) \(first.code == .portClosed ? "refuses connections" : "gives no answer"), and CAs try IPv6 "
            + "first; have it answer there, or remove the AAAA record."))
    }
    if judgements.contains(where: { $0.judgement.isBehindTranslation && $0.judgement.findings.contains(where: \.isOfView) }) {
      findings.append(
        Finding(
          .natHairpin, .doubtful, name: name,
          text: "This machine is behind an address translation, and may not see its own public address though the CA does; look at \(name) from "
            + "elsewhere."))
    }
  }
}

extension String {
  /// A name of the DNS in a sentence; that of the root, which an alias may have, is a dot (`CNAME .`).
  fileprivate var shownAsName: String { isEmpty ? "“.”" : shown }
}

extension Finding {
  /// Whether it is doubtful because this machine may not see what others see.
  fileprivate var isOfView: Bool { severity == .doubtful && [.portClosed, .filtered, .unreachable, .loginPage].contains(code) }
}

extension Resolver.Lookup.Outcome {
  /// Whether nothing is known.
  var isFailure: Bool {
    switch self {
    case .failed, .silent, .unreadable: true
    case .records, .noData, .noName, .aliasLoop: false
    }
  }

  /// What happened, in a few words.
  var phrase: String {
    switch self {
    case .failed(let code): "\(code)"
    case .silent: "no answer in time"
    case .unreadable: "no server there, or one that makes no sense"
    case .noName: "NXDOMAIN"
    case .noData: "no such record"
    case .aliasLoop: "aliases without end"
    case .records(let records): "\(records.count) records"
    }
  }
}
