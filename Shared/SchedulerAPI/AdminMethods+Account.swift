public import Varlink

/// The account at the CA that is set, as an administrator sees it.
public struct AccountView: Codable, Sendable, Hashable {
  /// The directory of the CA.
  public var directory: String
  /// The account's URL.
  public var url: String
  /// valid, deactivated or revoked (RFC 8555, section 7.1.2).
  public var status: String
  /// How a person is reached; empty where the CA keeps no such thing.
  public var contact: [String]
  /// The key's RFC 7638 thumbprint, base64url.
  public var thumbprint: String

  /// An account at a CA.
  public init(directory: String, url: String, status: String, contact: [String], thumbprint: String) {
    self.directory = directory
    self.url = url
    self.status = status
    self.contact = contact
    self.thumbprint = thumbprint
  }
}

extension AdminMethods {
  /// The account.
  public struct GetAccount: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace
    /// The account.
    public typealias Reply = AccountView
  }

  /// Tells the CA the contact that is set.
  public struct UpdateAccount: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace
    /// The account as it is now.
    public typealias Reply = AccountView
  }

  /// Gives the account a new key.
  public struct ChangeAccountKey: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace
    /// The account with its new key.
    public typealias Reply = AccountView
  }

  /// Ends the account for good.
  public struct DeactivateAccount: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace
    /// The account as it was.
    public typealias Reply = AccountView
  }
}
