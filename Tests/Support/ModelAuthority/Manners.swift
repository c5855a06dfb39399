/// What kind of CA it is. By default it has no nuisances, so that what a test counts is what the client did.
public struct Manners: Codable, Sendable {
  /// Where challenges are looked for: the first is the primary one (Let's Encrypt: "multi-perspective validation").
  public var perspectives: [Perspective] = []
  /// Whether it has RFC 9773.
  public var hasRenewalInfo = true
  /// Whether an account has a list of its orders (RFC 8555, section 7.1.2.1); Let's Encrypt has none.
  public var listsOrders = false
  /// Its profiles (draft-ietf-acme-profiles), and how many names each allows.
  public var profiles: [String: Int] = [:]
  /// Whether newOrder gives an order that is open already for the same names.
  public var reusesOrders = false
  /// Whether a new order has authorizations that are valid already.
  public var reusesValidAuthorizations = false
  /// Whether a new order has authorizations that another order waits for.
  public var reusesPendingAuthorizations = false
  /// Whether a challenge that is being validated may not be posted again (409 conflict).
  public var refusesParallelValidation = true
  /// Whether a challenge says `pending` while it is being validated, as Let's Encrypt's does.
  public var hidesProcessing = false
  /// How long it waits before it looks for the answer to a challenge.
  public var validationMilliseconds = 0
  /// Seconds that an order, and a pending authorization, live.
  public var orderLifetime = 7 * 86_400
  /// Seconds that a certificate lives.
  public var certificateLifetime = 90 * 86_400
  /// How often an order says `processing` after finalize before it is valid.
  public var processingAnswers = 0
  /// `Retry-After` with an object that is not finished, in seconds.
  public var pollAfter: Int?
  /// Of so many good nonces one is refused; none if 0.
  public var nonceRefusalInterval = 0
  /// Whether a chain has its root.
  public var sendsRoot = false
  /// What may be asked for in which time.
  public var limits: [Limit] = []
  /// Names that are paused until a person ends it.
  public var pausedNames: Set<String> = []

  /// A CA without nuisances.
  public init() {}
}
