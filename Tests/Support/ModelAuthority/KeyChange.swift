import NIOHTTP1

private struct InnerHeader: Decodable {
  let alg: String
  let jwk: JSONWebKey
  let url: String
}

private struct Change: Decodable {
  let account: String
  let oldKey: JSONWebKey
}

extension Books {
  /// Section 7.3.5: the old key signs around the new one's consent.
  mutating func changeKey(_ request: SignedRequest) throws -> Answer {
    let id = try request.account
    let jws = try FlattenedSignature.read(request.payload, what: "the inner JWS")
    let header = try StrictJSON.decode(
      InnerHeader.self, members: ["alg", "jwk", "url"], from: StrictJSON.octets(jws.protected, what: "the inner protected"), what: "the inner header")
    guard header.alg == "ES256" else { throw Deviation("alg \(header.alg) is not supported", type: "badSignatureAlgorithm") }
    guard header.url == request.url else { throw Deviation("the inner url \(header.url) is not the outer one (section 7.3.5)") }
    try jws.verify(by: header.jwk)
    let change = try StrictJSON.decode(
      Change.self, members: ["account", "oldKey"], from: StrictJSON.octets(jws.payload, what: "the inner payload"), what: "the change of keys")
    guard var account = accounts[id], change.account == url(.account, id) else { throw Deviation("the change is of another account") }
    guard change.oldKey == account.key else { throw Deviation("oldKey is not the account's") }
    if let other = accounts.values.first(where: { $0.key == header.jwk }) {
      var answer = Refusal("malformed", status: 409, "an account has this key").answer
      answer.headers.add(name: "location", value: url(.account, other.id))
      return answer
    }
    account.key = header.jwk
    accounts[id] = account
    return .json(form(of: account))
  }
}
