import PKI

/// A token that looks like a CA's and proves nothing: neither is it in an order, nor its answer made with an account's key.
struct Probe: Sendable {
  let publication: Publication
  let keyAuthorization: KeyAuthorization
  /// No order's: those are URLs.
  let order: String

  init(of name: DNSName) {
    let token = ChallengeToken.random()
    publication = Publication(name: name, token: token)
    keyAuthorization = KeyAuthorization(token: token, thumbprint: ChallengeToken.random().value)
    order = "probe:\(token)"
  }

  var url: ProbeURL { ProbeURL(challenge: publication.token, of: publication.name) }
}
