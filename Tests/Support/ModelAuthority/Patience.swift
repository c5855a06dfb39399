import NIOHTTP1
import PKI

/// Who was told to wait, and until when (RFC 8555, section 7.5.1: `Retry-After` with what is not finished).
struct Patience: Sendable {
  private var until: [String: Instant] = [:]

  /// How many milliseconds too early a request to a path comes, or nil.
  func impatience(_ path: String, now: Instant) -> Int64? {
    until[path].flatMap { $0 > now ? ($0 - now).milliseconds : nil }
  }

  /// Keeps what an answer asks for.
  mutating func heed(_ answer: Answer, to path: String, now: Instant) {
    until[path] = answer.status == 200 ? answer.headers.first(name: "retry-after").flatMap { Int($0) }.map { now + .seconds($0) } : nil
  }

  /// Something has been done that may have changed the object at a path.
  mutating func release(_ path: String) { until[path] = nil }
}

extension Duration {
  fileprivate var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
