import NIOHTTP1
import PKI

/// The nonces that are out (RFC 8555, section 6.5).
struct Nonces: Sendable {
  private var good: Set<String> = []
  private var used: Set<String> = []
  private var count = 0

  mutating func make() -> String {
    count += 1
    let nonce = Base64URL.encode((0..<16).map { _ in UInt8.random(in: 0...255) })
    good.insert(nonce)
    return nonce
  }

  /// All that are out are good no more.
  mutating func expire() { good = [] }

  fileprivate mutating func take(_ nonce: String, refusing interval: Int) throws {
    guard !used.contains(nonce) else { throw Deviation("nonce \(nonce) was used before (section 6.5)", type: "badNonce") }
    used.insert(nonce)
    guard good.remove(nonce) != nil, interval == 0 || !used.count.isMultiple(of: interval) else {
      throw Refusal("badNonce", status: 400, "nonce \(nonce) is not good any more")
    }
  }
}

extension Books {
  /// Takes a nonce out of use; each is good once.
  mutating func use(_ nonce: String) throws {
    try nonces.take(nonce, refusing: manners.nonceRefusalInterval)
  }

  /// Section 7.2. Each answer that is not a page of somebody else's has one, so that nothing is left to do here.
  func newNonce(_ request: Incoming) throws -> Answer {
    guard [.HEAD, .GET].contains(request.method) else { throw Deviation("\(request.method) instead of HEAD (section 7.2)", status: 405) }
    return Answer(status: request.method == .HEAD ? 200 : 204, headers: ["cache-control": "no-store"])
  }
}
