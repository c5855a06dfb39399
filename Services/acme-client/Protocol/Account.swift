import FoundationEssentials

/// An account as the CA knows it (RFC 8555, section 7.1.2).
struct Account: Decodable, Sendable, Hashable {
  /// valid, deactivated or revoked.
  let status: String
  /// How a person is reached, where the CA keeps that (Let's Encrypt does not any more).
  let contact: [String]?
  /// The list of its orders, where the CA keeps one (Let's Encrypt does not).
  let orders: ResourceURL?
}

/// The payload of newAccount (RFC 8555, section 7.3).
struct NewAccount: Encodable {
  var contact: [String]?
  var termsOfServiceAgreed: Bool?
  /// Only tells the URL of the account that the key has already (section 7.3.1).
  var onlyReturnExisting: Bool?
  var externalAccountBinding: JSONWebSignature?
}

/// The payload of a change of an account (RFC 8555, sections 7.3.2 and 7.3.6).
struct AccountUpdate: Encodable {
  var contact: [String]?
  var status: String?
}

/// One page of an account's list of orders (RFC 8555, section 7.1.2.1).
struct OrdersList: Decodable, Sendable {
  let orders: [ResourceURL]
}
