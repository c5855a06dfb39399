import CoreMetrics
import Logging
import NIOCore
import ResponderAPI
import Synchronization
import Telemetry

/// Tells what was asked: of live tokens each of the first requests, of all else only how much.
final class HitLog: Sendable {
  /// A CA asks a handful of times. Who asks more often is only counted, lest the log be flooded by anyone who has seen a token.
  private static let loggedHits = 32
  private static let summaryEvery = TimeAmount.seconds(60)

  private struct Strays {
    var count = 0
    var lastSummary: NIODeadline?
  }

  private let logger: Logger
  private let answered: Counter
  private let refused: Counter
  private let strays = Mutex(Strays())

  init(logger: Logger, metrics: MetricsRegistry) {
    self.logger = logger
    metrics.describe("challenge_http_requests_total", "Requests on the HTTP listeners, by outcome.")
    answered = Counter(label: "challenge_http_requests", dimensions: [("outcome", "answered")], factory: metrics)
    refused = Counter(label: "challenge_http_requests", dimensions: [("outcome", "refused")], factory: metrics)
  }

  /// A live token was asked for. Who and how is only worked out when it is logged.
  func answered(_ token: LiveToken, from visitor: @autoclosure () -> String?, host: @autoclosure () -> String, isHead: Bool) {
    answered.increment()
    let isTraced = token.trace?.isSampled ?? false
    guard token.hits <= Self.loggedHits || isTraced else { return }
    let lease = token.newestLease
    let about: LogFields = [
      .name: token.name, .order: lease?.order, .device: lease?.device, .peer: visitor(), .host: host(), .method: isHead ? "HEAD" : "GET",
      .status: 200, .hit: token.hits,
    ]
    TraceContext.$current.withValue(token.trace) {
      if token.hits <= Self.loggedHits {
        logger.info("challenge answered", metadata: about)
      } else {
        logger.trace(.challenge, isOn: isTraced, "challenge answered", metadata: about)
      }
    }
  }

  /// Something else was asked of a name that is traced: another token, another path, another method.
  func missed(_ lease: Lease, _ refusal: Refusal, from visitor: String?, host: String, method: String, target: String) {
    TraceContext.$current.withValue(lease.trace) {
      logger.trace(
        .challenge, isOn: true, "\(method) \(target): \(refusal.rawValue); the token awaited is \(lease.token)",
        metadata: [.name: lease.name, .order: lease.order, .device: lease.device, .peer: visitor, .host: host])
    }
  }

  /// Something else was asked for.
  func refused(now: NIODeadline) {
    refused.increment()
    let summary = strays.withLock { strays -> Int? in
      strays.count += 1
      if let last = strays.lastSummary, now - last < Self.summaryEvery { return nil }
      defer { strays = Strays(lastSummary: now) }
      return strays.count
    }
    if let summary { logger.log(.straysAtPort80, "requests for no live token", metadata: [.count: summary]) }
  }
}
