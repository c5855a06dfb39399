public import Varlink

extension ACMEClient {
  /// An account at a CA.
  public struct Account: Codable, Sendable, Hashable {
    /// The account's URL, which is its `kid`.
    public var url: String
    /// valid, deactivated or revoked (RFC 8555, section 7.1.2).
    public var status: String
    /// How a person is reached; empty where the CA keeps no such thing.
    public var contact: [String]
    /// The key's RFC 7638 thumbprint, base64url.
    public var thumbprint: String

    /// An account.
    public init(url: String, status: String, contact: [String], thumbprint: String) {
      self.url = url
      self.status = status
      self.contact = contact
      self.thumbprint = thumbprint
    }
  }

  /// The account at the CA, made or recovered by its key.
  public struct GetAccount: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient
    /// Which CA.
    public typealias Parameters = AuthorityParameters
    /// The account.
    public typealias Reply = Account
  }

  /// Tells the CA how to reach a person (RFC 8555, section 7.3.2).
  public struct UpdateAccount: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient
    /// Which CA, with the contact.
    public typealias Parameters = AuthorityParameters
    /// The account as it is now.
    public typealias Reply = Account
  }

  /// Gives the account a new key (RFC 8555, section 7.3.5).
  public struct ChangeAccountKey: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient
    /// Which CA.
    public typealias Parameters = AuthorityParameters
    /// The account with its new key.
    public typealias Reply = Account
  }

  /// Ends the account for good (RFC 8555, section 7.3.6).
  public struct DeactivateAccount: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient
    /// Which CA.
    public typealias Parameters = AuthorityParameters
    /// The account as it was.
    public typealias Reply = Account
  }
}
