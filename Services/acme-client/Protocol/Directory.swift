/// What a CA's directory says (RFC 8555, section 7.1.1).
struct Directory: Decodable, Sendable, Hashable {
  let newNonce: ResourceURL
  let newAccount: ResourceURL
  let newOrder: ResourceURL
  let revokeCert: ResourceURL?
  let keyChange: ResourceURL?
  /// RFC 9773.
  let renewalInfo: ResourceURL?
  let meta: Meta?

  struct Meta: Decodable, Sendable, Hashable {
    let termsOfService: String?
    let website: String?
    let caaIdentities: [String]?
    let externalAccountRequired: Bool?
    /// draft-ietf-acme-profiles: the names of the profiles, and what each is for.
    let profiles: [String: String]?
  }
}
