public import PKI
public import Telemetry
public import Varlink

/// When a certificate is ordered next.
public struct PlannedTurn: Codable, Sendable, Hashable {
  /// Its place among the turns, from 1 on.
  public var number: Int
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
  /// In a rehearsal: when the one that there is would have ended, if that is over.
  public var ended: Instant?

  /// A turn.
  public init(
    number: Int, device: DeviceID, slot: String, names: [DNSName], at: Instant, limit: String? = nil, end: Instant? = nil, ended: Instant? = nil
  ) {
    self.number = number
    self.device = device
    self.slot = slot
    self.names = names
    self.at = at
    self.limit = limit
    self.end = end
    self.ended = ended
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
  public struct Plan: VarlinkListMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Of what.
    public struct Parameters: Codable, Sendable, Traced, VarlinkListSelection {
      /// Rehearse certificates that live for so many seconds.
      public var lifetime: Int?
      /// Rehearse another CA, with this directory.
      public var authority: String?
      /// Only the first so many turns.
      public var limit: Int?
      /// Of these only those after so many.
      public var after: Int?
      /// The caller's trace.
      public var trace: TraceContext?

      /// A plan, or a rehearsal.
      public init(lifetime: Int? = nil, authority: String? = nil, limit: Int? = nil, after: Int? = nil) {
        self.lifetime = lifetime
        self.authority = authority
        self.limit = limit
        self.after = after
      }
    }

    /// The plan, or a part of it.
    public struct Reply: Codable, Sendable, VarlinkListPart {
      /// The next turns, in their order.
      public var turns: [PlannedTurn]
      /// `after` of the next part; nil if this is the last one.
      public var next: Int?
      /// How many there are in all.
      public var total: Int
      /// The load of each day that has one; in the first part.
      public var days: [DayLoad]
      /// What would go wrong, each a sentence; in the first part.
      public var warnings: [String]
      /// What the CA that is rehearsed would mean; in the first part.
      public var change: AuthorityChange?

      /// The plan.
      public init(
        turns: [PlannedTurn], next: Int? = nil, total: Int, days: [DayLoad] = [], warnings: [String] = [], change: AuthorityChange? = nil
      ) {
        self.turns = turns
        self.next = next
        self.total = total
        self.days = days
        self.warnings = warnings
        self.change = change
      }

      /// The turns.
      public var entries: [PlannedTurn] { turns }
      /// A part of the turns.
      public init(entries: [PlannedTurn], next: Int?) { self.init(turns: entries, next: next, total: entries.count) }
    }

    /// The number.
    public static func place(of turn: PlannedTurn) -> Int { turn.number }
  }
}
