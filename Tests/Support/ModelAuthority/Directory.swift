import NIOHTTP1

/// What the directory says (RFC 8555, section 7.1.1).
private struct Directory: Encodable {
  let newNonce: String
  let newAccount: String
  let newOrder: String
  let revokeCert: String
  let keyChange: String
  let renewalInfo: String?
  let meta: Meta

  struct Meta: Encodable {
    let termsOfService: String
    let caaIdentities: [String]
    let profiles: [String: String]?
  }
}

extension Books {
  func directory(_ request: Incoming) throws -> Answer {
    guard request.method == .GET else { throw Deviation("\(request.method) instead of GET (section 7.1.1)", status: 405) }
    let profiles = manners.profiles.mapValues { "up to \($0) names" }
    return .json(
      Directory(
        newNonce: url(.newNonce), newAccount: url(.newAccount), newOrder: url(.newOrder), revokeCert: url(.revokeCert),
        keyChange: url(.keyChange),
        renewalInfo: manners.hasRenewalInfo ? url(.renewalInfo) : nil,
        meta: .init(termsOfService: "\(base)/terms", caaIdentities: ["model.example"], profiles: profiles.isEmpty ? nil : profiles)))
  }
}
