import ACMEClientAPI
import PKI

/// What it means for a name that a walk from one of its addresses ended as it did.
struct AddressJudgement {
  /// How much what is seen from here says about what a CA sees.
  struct View: Sendable, Hashable {
    /// From which address this machine would go there.
    var source: IPAddress?
    /// This machine's own resolver leads elsewhere.
    var isSplit = false
    /// No other resolver than this machine's own was asked, which perhaps says inside what it does not say outside.
    var isOfOwnResolver = false
  }

  private let name: DNSName
  private let address: IPAddress
  private let walk: ProbeWalk
  private let expected: KeyAuthorization
  private let view: View

  /// More than this is slow.
  static let slow = Duration.seconds(2)

  init(_ name: DNSName, at address: IPAddress, _ walk: ProbeWalk, expecting expected: KeyAuthorization, from view: View) {
    (self.name, self.address, self.walk, self.expected, self.view) = (name, address, walk, expected, view)
  }

  /// The first is about the answer itself.
  var findings: [Finding] {
    switch walk.end {
    case .outcome(.success(let answer)): judge(answer)
    case .outcome(.failure(let failure)): [judge(failure)]
    case .loop:
      [finding(.redirectLoop, "\(walk.last) at \(address) redirects to where it came from; take the path of challenges out of that rule.")]
    case .tooManyRedirects:
      [
        finding(
          .tooManyRedirects, "After \(ProbeWalker.mostRedirects) redirects \(walk.last) redirects once more, and CAs go no further; redirect once.")
      ]
    case .refusedRedirect(let location, let refusal): [judge(refusal, location)]
    case .noAddress(let target):
      [
        finding(
          .redirectElsewhere, .doubtful,
          "\(address) redirects challenges of \(name) to \(target), which has no address for this machine; correct the redirect, or the DNS.")
      ]
    case .notAllowed(let host, let target): [judge(host, at: target)]
    }
  }

  /// A redirect to where nobody is connected to.
  private func judge(_ host: ProbeURL.Host, at target: IPAddress) -> Finding {
    let isAddress = host == .address(target)
    let isDoubtful = view.isOfOwnResolver && !isAddress
    return finding(
      target.purpose == .privateHost ? .privateAddress : .addressNotAllowed, isDoubtful ? .doubtful : .wrong,
      "\(address) redirects challenges of \(name) to \(host)\(isAddress ? "" : " at \(target)"), \(target.purpose.phrase), where no public CA goes; "
        + (isDoubtful ? "if the public DNS has another one for it, have the doctor ask a public resolver (doctor.resolver); else " : "")
        + "redirect to a public name, or list the address in doctor.privateAddresses if your CA goes there.")
  }

  // MARK: - No answer

  private func judge(_ failure: ProbeFailure) -> Finding {
    let place = "\(address), port \(walk.last.port)"
    if walk.last.isSecure {
      if case .noTLS(let reason) = failure { return noTLS(reason) }
      if [.refused, .unanswered].contains(failure) { return noTLS("connections \(failure.phrase)") }
    }
    if walk.leftName {
      return finding(
        // What hides an address from this machine hides it behind a redirect too.
        .redirectElsewhere, failure.isWithoutConnection ? .doubtful : .wrong,
        "\(address) redirects challenges of \(name) to \(walk.last), and connections there \(failure.phrase); correct the redirect, or that host.")
    }
    switch failure {
    case .refused:
      return seen(.portClosed, "\(place) refuses connections for \(name); see that a web server or the connector listens there, or correct the DNS.")
    case .unanswered:
      return seen(
        .filtered, "\(place) gives no answer to a connection for \(name), as behind a filter; open the port for everyone, or correct the DNS.")
    case .unreachable(beyond: false):
      return finding(
        .unreachable, .doubtful,
        "This machine has no way to \(address) of \(name) (no \(address.isIPv6 ? "IPv6" : "IPv4") perhaps); the CA may have one, look from elsewhere."
      )
    case .unreachable(beyond: true):
      return seen(.unreachable, "There is no way to \(address) of \(name): a router says that the host is not there; correct the DNS or the routing.")
    case .silent:
      return finding(
        .noAnswer,
        "\(place) takes the connection for \(name) and says nothing within \(ProbeWalker.limit.components.seconds) s; see what hangs there.")
    case .cut:
      return finding(.connectionCut, "\(place) ends the connection for \(name) before its answer; see to a filter or a limit there.")
    case .notHTTP:
      return finding(.notHTTP, "\(place) answers for \(name), but not in HTTP; see which service listens there.")
    case .noTLS(let reason):
      return noTLS(reason)
    }
  }

  private func noTLS(_ reason: String) -> Finding {
    finding(
      .httpsRedirectBroken,
      "\(address) redirects challenges of \(name) to \(walk.last), and no TLS comes about there (\(reason)); take the path of challenges out of that "
        + "redirect, or have TLS 1.2 served, with any certificate.")
  }

  private func judge(_ refusal: ProbeURL.Refusal, _ location: String) -> Finding {
    let leads = "\(walk.last) at \(address) redirects to “\(location)”"
    switch refusal {
    case .port(let port):
      return finding(.redirectToOtherPort, "\(leads), port \(port), and CAs go only to 80 and 443; redirect to one of these.")
    case .scheme(let scheme):
      return finding(.redirectNotFollowed, "\(leads), and CAs go only to http and https, not to \(scheme.shown); correct the redirect.")
    case .unreadable:
      return finding(.redirectNotFollowed, "\(leads), which is no URL with a host name; correct the redirect.")
    case .tooLong:
      return finding(.redirectNotFollowed, "\(walk.last) at \(address) redirects to a URL of more than 2,000 bytes; correct the redirect.")
    }
  }

  // MARK: - An answer

  private func judge(_ answer: ProbeAnswer) -> [Finding] {
    let verdict = answer.verdict(expected)
    var findings = [verdict == .right ? right : wrong(answer, verdict)]
    if verdict == .right, case .address(let target) = walk.last.host {
      findings.append(
        finding(
          .redirectToAddress, .doubtful,
          "\(address) redirects challenges of \(name) to the address \(target), where not every CA follows; redirect to a name."))
    }
    if let network = answer.contentDelivery {
      findings.append(
        finding(
          .contentDelivery, .doubtful,
          "\(name) is served by \(network) at \(address), which may answer the CA otherwise than this machine; let /.well-known/acme-challenge/ "
            + "pass there, without cache, filter or challenge for browsers."))
    }
    return findings
  }

  private var right: Finding {
    let way = walk.urls.count == 1 ? "" : ", through a redirect to \(walk.last)"
    if walk.time > Self.slow {
      return finding(
        .slow, .doubtful,
        "\(address) answers for \(name)\(way), but only after \(Int((walk.time / .seconds(1)).rounded(.up))) s; a CA may be less patient, see why."
      )
    }
    return finding(.answered, .fine, "\(address) answers for \(name) as it should\(way).")
  }

  private func wrong(_ answer: ProbeAnswer, _ verdict: ProbeAnswer.BodyVerdict) -> Finding {
    let place = walk.urls.count == 1 ? "At \(address) of \(name)" : "At \(walk.last), where \(address) redirects challenges of \(name),"
    let author = answer.author
    switch verdict {
    case .wrapped:
      return finding(.tokenWrapped, "\(place) \(author) puts something around the answer; have it serve the bare file, without a template or a mark.")
    case .tooLong:
      return finding(.bodyTooLong, "\(place) \(author) serves the answer with blanks up to 128 bytes or more; have it serve the bare file.")
    case .right, .other: break
    }
    if answer.wantsLogin {
      return seen(.loginPage, "\(place) \(author) shows a page that wants a login; let /.well-known/acme-challenge/ pass without one.")
    }
    if (300..<400).contains(answer.status) {
      return finding(.redirectNotFollowed, "\(place) \(author) redirects in a way that CAs do not follow; use 301, 302, 307 or 308 with a Location.")
    }
    if answer.status >= 500 {
      return finding(.serverFailed, "\(place) \(author) fails; see to it, or to the server behind it.")
    }
    if walk.isAnsweredWithoutName {
      return finding(
        .nameMissingOnProxy,
        "\(place) \(author) does not know the name, though it has the answer for one who asks without one; add the name to its rules.")
    }
    let reaches = "\(place) \(author) answers, and does not know the challenge"
    return walk.leftName
      ? finding(.redirectElsewhere, "\(reaches); correct the redirect.")
      : finding(
        .wrongServer, "\(reaches); have it forward /.well-known/acme-challenge/ to the connector, or correct the DNS if it should not be there.")
  }

  // MARK: - Findings

  private func finding(_ code: Finding.Code, _ severity: Finding.Severity, _ text: String) -> Finding {
    Finding(code, view.isSplit && severity == .wrong ? .doubtful : severity, name: name, address: address.description, text: text)
  }

  private func finding(_ code: Finding.Code, _ text: String) -> Finding { finding(code, .wrong, text) }

  /// What a machine behind an address translation may see of its own public address, though nobody else does.
  private func seen(_ code: Finding.Code, _ text: String) -> Finding { finding(code, isBehindTranslation ? .doubtful : .wrong, text) }

  /// Whether this machine goes to a public address from one that is not.
  var isBehindTranslation: Bool { address.purpose == .host && view.source.map { $0.purpose != .host } ?? false }
}

extension ProbeFailure {
  /// Whether a connection did not come about at all.
  var isWithoutConnection: Bool {
    switch self {
    case .refused, .unanswered, .unreachable: true
    case .silent, .cut, .notHTTP, .noTLS: false
    }
  }

  /// What becomes of connections.
  fileprivate var phrase: String {
    switch self {
    case .refused: "are refused"
    case .unanswered: "are not answered"
    case .unreachable: "find no way"
    case .silent: "bring nothing"
    case .cut: "are cut before an answer"
    case .notHTTP: "bring something else than HTTP"
    case .noTLS(let reason): "bring no TLS (\(reason))"
    }
  }
}

extension IPAddress.Purpose {
  /// What it is, for a sentence.
  var phrase: String {
    switch self {
    case .host: "a public address"
    case .privateHost: "an address of a private network"
    case .loopback: "an address of the machine itself"
    case .linkLocal: "an address of a single link"
    case .multicast: "a multicast address"
    case .documentation: "an address for documentation"
    case .reserved: "a reserved address"
    }
  }
}
