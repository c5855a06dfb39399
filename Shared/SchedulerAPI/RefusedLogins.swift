public import PKI
public import Telemetry
public import Varlink

/// A login that was refused again and again, as it called itself.
public struct RefusedLogin: Codable, Sendable, Hashable {
  /// The login's `domain`.
  public var domain: String?
  /// The login's `sip`.
  public var sip: String?
  /// The login's `guid`.
  public var guid: String?
  /// Where the last one came from.
  public var address: String
  /// When the first one came.
  public var since: Instant
  /// How many there were.
  public var count: Int

  /// A login that was refused `count` times.
  public init(domain: String? = nil, sip: String? = nil, guid: String? = nil, address: String, since: Instant, count: Int) {
    self.domain = domain
    self.sip = sip
    self.guid = guid
    self.address = address
    self.since = since
    self.count = count
  }
}

extension SchedulerMethods {
  /// Logins that were refused.
  public struct NoteRefusedLogins: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler
    /// There is nothing to say.
    public typealias Reply = NoMembers
    /// The most logins of one call.
    public static let most = 100

    /// Which ones.
    public struct Parameters: Codable, Sendable, Traced {
      /// Each as it called itself.
      public var logins: [RefusedLogin]
      /// The caller's trace.
      public var trace: TraceContext?

      /// Logins that were refused.
      public init(logins: [RefusedLogin]) {
        self.logins = logins
      }
    }
  }
}
