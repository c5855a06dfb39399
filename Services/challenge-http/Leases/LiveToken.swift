import NIOCore
import PKI
import ResponderAPI
import Telemetry

/// A token that is answered.
struct LiveToken: Sendable {
  /// How many requests are remembered.
  private static let mostVisits = 32

  let name: DNSName
  let keyAuthorization: KeyAuthorization
  /// Header fields and body of the answer, made once.
  let answer: PreparedAnswer
  /// Who wants it answered, by order.
  private(set) var leases: [String: Lease]
  /// When the last lease ends.
  private(set) var end: Instant
  /// The story that the newest lease belongs to.
  private(set) var trace: TraceContext?
  /// How many requests were answered.
  private(set) var hits = 0
  /// The first of them: a CA asks a handful of times, whoever asks more often is only counted.
  private(set) var visits: [Responder.Visit] = []

  init(_ lease: Lease) {
    name = lease.name
    keyAuthorization = lease.keyAuthorization
    answer = PreparedAnswer(lease.keyAuthorization)
    leases = [lease.order: lease]
    end = lease.end
    trace = lease.trace
  }

  mutating func set(_ lease: Lease) {
    leases[lease.order] = lease
    trace = lease.trace ?? trace
    end = leases.values.map(\.end).max() ?? lease.end
  }

  /// A request is answered.
  mutating func hit(_ visit: @autoclosure () -> Responder.Visit?) {
    hits += 1
    guard hits <= Self.mostVisits, let visit = visit() else { return }
    visits.append(visit)
  }

  mutating func removeLeases(endedBy now: Instant) {
    leases = leases.filter { $0.value.end > now }
  }

  /// The newest of the leases.
  var newestLease: Lease? { leases.values.max { $0.end < $1.end } }

  /// The orders that still need it.
  var holders: [String] { leases.values.filter { !$0.isWithdrawn }.map(\.order).sorted() }
}
