public import PKI
public import Telemetry
public import Varlink

extension VarlinkInterface {
  /// `org.acmeconnector.Challenges`
  public static let challenges = VarlinkInterface(
    "org.acmeconnector.Challenges", text: PackageResources.org_acmeconnector_Challenges_varlink)
}

/// The methods of `org.acmeconnector.Challenges`; what they promise is in the interface text.
public enum Challenges {
  /// A token that is being answered.
  public struct Challenge: Codable, Sendable, Hashable {
    /// The name it proves.
    public var name: DNSName
    /// The token.
    public var token: ChallengeToken
    /// The orders that hold a lease on it.
    public var orders: [String]
    /// When the last lease ends.
    public var expires: Instant
    /// How many requests it has answered.
    public var hits: Int

    /// A live token.
    public init(name: DNSName, token: ChallengeToken, orders: [String], expires: Instant, hits: Int) {
      self.name = name
      self.token = token
      self.orders = orders
      self.expires = expires
      self.hits = hits
    }
  }

  /// The answer to a token that somebody was asked for.
  public struct Lookup: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.challenges

    /// What was asked for. The token is any text: what can be none is simply not found.
    public struct Parameters: Codable, Sendable, Traced {
      /// The Host of the request.
      public var host: String?
      /// The last part of its path.
      public var token: String
      /// Who was asked.
      public var asker: String?
      /// Where that one is.
      public var address: String?
      /// The caller's trace.
      public var trace: TraceContext?

      /// A request for a token; one that came to somebody who is named counts as a visit.
      public init(host: String?, token: String, asker: String? = nil, address: String? = nil) {
        self.host = host
        self.token = token
        self.asker = asker
        self.address = address
      }
    }

    /// The answer, if the token is live.
    public struct Reply: Codable, Sendable {
      /// Whether the token is live.
      public var found: Bool
      /// What to answer.
      public var keyAuthorization: KeyAuthorization?

      /// The answer to a live token, or none.
      public init(_ keyAuthorization: KeyAuthorization?) {
        self.found = keyAuthorization != nil
        self.keyAuthorization = keyAuthorization
      }
    }
  }

  /// Live tokens.
  public struct List: VarlinkListMethod {
    /// The interface.
    public static let interface = VarlinkInterface.challenges

    /// After which token a part begins.
    public typealias Parameters = OnlyAfter

    /// A part of them.
    public struct Reply: Codable, Sendable, VarlinkListPart {
      /// By token.
      public var challenges: [Challenge]
      /// `after` of the next part; nil if this is the last one.
      public var next: String?

      /// A part of the list.
      public init(challenges: [Challenge], next: String? = nil) {
        self.challenges = challenges
        self.next = next
      }

      /// The live tokens.
      public var entries: [Challenge] { challenges }
      /// A part of the list.
      public init(entries: [Challenge], next: String?) { self.init(challenges: entries, next: next) }
    }

    /// The token.
    public static func place(of challenge: Challenge) -> String { challenge.token.value }
  }
}
