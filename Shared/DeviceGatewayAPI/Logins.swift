public import PKI
public import Telemetry
public import Varlink

extension VarlinkInterface {
  /// `org.acmeconnector.Logins`
  public static let logins = VarlinkInterface(
    "org.acmeconnector.Logins", text: PackageResources.org_acmeconnector_Logins_varlink, faults: [Logins.Refused.self, Restarting.self])
}

/// The methods of `org.acmeconnector.Logins`; what they promise is in the interface text.
public enum Logins {
  /// For whom a login's secret opens the door.
  public enum Scope: String, Codable, Sendable, CaseIterable {
    /// Everyone.
    case instance
    /// The devices of one domain (tenant).
    case domain
    /// One device only.
    case device
  }

  /// What a login may do.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Obtain certificates.
    case device
    /// Administer.
    case admin
  }

  /// When a secret was made, and until when it holds.
  public struct Secret: Codable, Sendable, Hashable {
    /// When it was made.
    public var createdAt: Instant
    /// Until when it holds; nil for the current one.
    public var validUntil: Instant?
    /// When somebody last logged in by it.
    public var lastUsedAt: Instant?

    /// About a secret, without the secret.
    public init(createdAt: Instant, validUntil: Instant? = nil, lastUsedAt: Instant? = nil) {
      self.createdAt = createdAt
      self.validUntil = validUntil
      self.lastUsedAt = lastUsedAt
    }
  }

  /// A login without its secrets.
  public struct Login: Codable, Sendable, Hashable {
    /// Its name.
    public var name: String
    /// For whom.
    public var scope: Scope
    /// For what.
    public var kind: Kind
    /// The domain, for scope domain.
    public var domain: String?
    /// The only names, and their subdomains, that its devices may ask for; empty for any.
    public var nameSuffixes: [String]
    /// Its secrets, newest first.
    public var secrets: [Secret]

    /// A login without its secrets.
    public init(name: String, scope: Scope, kind: Kind, domain: String? = nil, nameSuffixes: [String], secrets: [Secret]) {
      self.name = name
      self.scope = scope
      self.kind = kind
      self.domain = domain
      self.nameSuffixes = nameSuffixes
      self.secrets = secrets
    }
  }

  /// A login as it is after a change.
  public struct Changed: Codable, Sendable {
    /// The login.
    public var login: Login

    /// A login as it is now.
    public init(login: Login) {
      self.login = login
    }
  }

  /// Logins.
  public struct List: VarlinkListMethod {
    /// The interface.
    public static let interface = VarlinkInterface.logins

    /// Which ones.
    public struct Parameters: Codable, Sendable, Traced, VarlinkListSelection {
      /// Only this one.
      public var name: String?
      /// Only those after this one.
      public var after: String?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which logins.
      public init(name: String? = nil, after: String? = nil) {
        self.name = name
        self.after = after
      }
    }

    /// A part of them.
    public struct Reply: Codable, Sendable, VarlinkListPart {
      /// In the order of the alphabet.
      public var logins: [Login]
      /// `after` of the next part; nil if this is the last one.
      public var next: String?

      /// A part of the list.
      public init(logins: [Login], next: String? = nil) {
        self.logins = logins
        self.next = next
      }

      /// The logins.
      public var entries: [Login] { logins }
      /// A part of the list.
      public init(entries: [Login], next: String?) { self.init(logins: entries, next: next) }
    }

    /// The name.
    public static func place(of login: Login) -> String { login.name }
  }

  /// Makes a login.
  public struct Add: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.logins
    /// The login.
    public typealias Reply = Changed

    /// What login.
    public struct Parameters: Codable, Sendable, Traced {
      /// Its name.
      public var name: String
      /// For whom.
      public var scope: Scope
      /// For what.
      public var kind: Kind
      /// The domain, for scope domain.
      public var domain: String?
      /// The only names, and their subdomains, that its devices may ask for; empty for any.
      public var nameSuffixes: [String]
      /// The secret, which the caller has made: so a call that is repeated can be recognized, and no secret is lost with a reply.
      public var secret: String
      /// The caller's trace.
      public var trace: TraceContext?

      /// A login to be made.
      public init(name: String, scope: Scope, kind: Kind, domain: String? = nil, nameSuffixes: [String], secret: String) {
        self.name = name
        self.scope = scope
        self.kind = kind
        self.domain = domain
        self.nameSuffixes = nameSuffixes
        self.secret = secret
      }
    }
  }

  /// Gives a login a new secret.
  public struct Rotate: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.logins
    /// The login.
    public typealias Reply = Changed

    /// Which login, and how long the old secret holds.
    public struct Parameters: Codable, Sendable, Traced {
      /// Its name.
      public var name: String
      /// The new secret, which the caller has made.
      public var secret: String
      /// Until when the old one holds; nil ends it now.
      public var overlapUntil: Instant?
      /// The caller's trace.
      public var trace: TraceContext?

      /// A login whose secret changes.
      public init(name: String, secret: String, overlapUntil: Instant? = nil) {
        self.name = name
        self.secret = secret
        self.overlapUntil = overlapUntil
      }
    }
  }

  /// Ends a login.
  public struct Remove: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.logins
    /// There is nothing to say.
    public typealias Reply = NoMembers

    /// Which login.
    public struct Parameters: Codable, Sendable, Traced {
      /// Its name.
      public var name: String
      /// The caller's trace.
      public var trace: TraceContext?

      /// The login that ends.
      public init(name: String) {
        self.name = name
      }
    }
  }

  /// How devices reach the gateway.
  public struct Describe: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.logins
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace

    /// How devices reach the gateway.
    public struct Reply: Codable, Sendable, Hashable {
      /// What devices may pin.
      public var pin: SubjectPublicKeyPin
      /// The instance path.
      public var path: String
      /// The TCP port where it listens for wss.
      public var port: Int?
      /// How many connections are open.
      public var connections: Int
      /// Its certificate.
      public var fingerprint: Fingerprint
      /// Until when its certificate is valid.
      public var notAfter: Instant
      /// The common name of the CA that issued its certificate; nil while the gateway has signed it itself.
      public var issuer: String?
      /// The names for which it wants one of the CA.
      public var names: [String]
      /// How far the request for it is: a word of the device protocol.
      public var state: String?
      /// Why there is none, or none newer: one sentence.
      public var problem: String?

      /// How devices reach the gateway.
      public init(
        pin: SubjectPublicKeyPin, path: String, port: Int? = nil, connections: Int, fingerprint: Fingerprint, notAfter: Instant,
        issuer: String? = nil,
        names: [String] = [], state: String? = nil, problem: String? = nil
      ) {
        self.pin = pin
        self.path = path
        self.port = port
        self.connections = connections
        self.fingerprint = fingerprint
        self.notAfter = notAfter
        self.issuer = issuer
        self.names = names
        self.state = state
        self.problem = problem
      }
    }
  }

  /// The administrator cannot have that.
  public struct Refused: VarlinkFault, Hashable {
    /// Why, as programs read it.
    public struct Word: RawRepresentable, Codable, Sendable, Hashable {
      /// The word, as on the wire.
      public let rawValue: String
      /// A word as it came.
      public init(rawValue: String) { self.rawValue = rawValue }

      /// There is another login of this name.
      public static let exists = Word(rawValue: "exists")
      /// There are as many logins as there can be.
      public static let tooMany = Word(rawValue: "tooMany")
      /// There is no such login.
      public static let notFound = Word(rawValue: "notFound")
      /// No login can have this name.
      public static let badName = Word(rawValue: "badName")
      /// No login, or none but another one, can have this secret.
      public static let badSecret = Word(rawValue: "badSecret")
      /// A login of scope domain, and no other, needs a domain that devices can log in with.
      public static let badDomain = Word(rawValue: "badDomain")
      /// The suffixes are no DNS names, or too many.
      public static let badSuffix = Word(rawValue: "badSuffix")
      /// It is the last one of its kind.
      public static let lastLogin = Word(rawValue: "lastLogin")
    }

    /// Why.
    public var error: Word
    /// One sentence.
    public var text: String

    /// A refusal.
    public init(error: Word, text: String) {
      self.error = error
      self.text = text
    }
  }
}
