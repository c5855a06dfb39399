public import PKI
public import Telemetry
public import Varlink

/// When a certificate is ordered next.
public struct PlannedTurn: Codable, Sendable, Hashable {
  /// Whose it is.
  public var device: DeviceID
  /// Which of the device's certificates.
  public var slot: String
  /// Its names.
  public var names: [DNSName]
  /// When its turn comes.
  public var at: Instant
  /// The limit of the CA that it waits for, or the CA itself.
  public var limit: String?
  /// When the certificate in use ends.
  public var end: Instant?

  /// A turn.
  public init(device: DeviceID, slot: String, names: [DNSName], at: Instant, limit: String? = nil, end: Instant? = nil) {
    self.device = device
    self.slot = slot
    self.names = names
    self.at = at
    self.limit = limit
    self.end = end
  }
}

/// How many orders a day brings.
public struct DayLoad: Codable, Sendable, Hashable {
  /// Its beginning, UTC.
  public var day: Instant
  /// How many.
  public var orders: Int

  /// A day.
  public init(day: Instant, orders: Int) {
    self.day = day
    self.orders = orders
  }
}

/// What another CA would mean for the certificates that there are.
public struct AuthorityChange: Codable, Sendable, Hashable {
  /// How many certificates would stay until they are due.
  public var staying: Int
  /// How many are of a CA for trials, and would be replaced at once.
  public var replaced: Int
  /// If all were replaced at once: when the last turn came.
  public var allAt: Instant?
  /// Which limit of the CA would decide that.
  public var limit: String?

  /// What another CA would mean.
  public init(staying: Int, replaced: Int, allAt: Instant? = nil, limit: String? = nil) {
    self.staying = staying
    self.replaced = replaced
    self.allAt = allAt
    self.limit = limit
  }
}

extension AdminMethods {
  /// What is to be ordered when.
  public struct Plan: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Of what.
    public struct Parameters: Codable, Sendable, Traced {
      /// Rehearse certificates that live for so many seconds.
      public var lifetime: Int?
      /// Rehearse another CA, with this directory.
      public var authority: String?
      /// At most so many turns.
      public var limit: Int?
      /// The caller's trace.
      public var trace: TraceContext?

      /// A plan, or a rehearsal.
      public init(lifetime: Int? = nil, authority: String? = nil, limit: Int? = nil) {
        self.lifetime = lifetime
        self.authority = authority
        self.limit = limit
      }
    }

    /// The plan.
    public struct Reply: Codable, Sendable {
      /// The next turns, in their order.
      public var turns: [PlannedTurn]
      /// How many there are in all.
      public var total: Int
      /// The load of each day that has one.
      public var days: [DayLoad]
      /// What would go wrong, each a sentence.
      public var warnings: [String]
      /// What the CA that is rehearsed would mean.
      public var change: AuthorityChange?

      /// The plan.
      public init(turns: [PlannedTurn], total: Int, days: [DayLoad], warnings: [String], change: AuthorityChange? = nil) {
        self.turns = turns
        self.total = total
        self.days = days
        self.warnings = warnings
        self.change = change
      }
    }
  }
}
