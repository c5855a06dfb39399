import PKI
import ResponderAPI
import Telemetry

/// An order's claim that a token is answered until some moment. As it is on disk: the whole of it each time, so that the last record says all.
struct Lease: Codable, Sendable, Hashable {
  /// Whom it belongs to.
  let order: String
  let token: ChallengeToken
  let name: DNSName
  let keyAuthorization: KeyAuthorization
  /// Until when it holds.
  var end: Instant
  /// The order needs it no more; the answer stays for the CA's late requests.
  var isWithdrawn: Bool
  /// The device that wants the certificate. Absent in records of earlier versions.
  var device: String?
  /// The story that it belongs to; sampled when the order's owner traces challenges.
  var trace: TraceContext?
}

/// The bounds of what callers may ask for.
struct LeaseLimits: Sendable {
  /// How many leases there are at a time. Two hundred devices with a hundred names each ask for 20,000, while withdrawn ones still have their grace.
  var count = 30_000
  /// The longest lease. Orders live for a week at most CAs (RFC 8555, section 7.1.3, `expires`).
  var duration = Duration.seconds(30 * 86_400)
  /// The longest id of an order, in bytes of UTF-8.
  var orderBytes = 256
  /// How long a token is answered after its last lease was withdrawn: a CA validates from several places, and not all are equally quick.
  var grace = Duration.seconds(120)
}
