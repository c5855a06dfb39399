import FoundationEssentials
import Logging
import Metrics
import NIOHTTP1
import PKI
import Telemetry

/// Signed requests to one CA (RFC 8555, section 6.2), with its nonces.
struct AuthorityConnection: Sendable {
  /// How often one request is signed anew because the CA did not like the nonce.
  static let mostNonces = 10

  let url: ResourceURL
  let directory: Directory
  let transport: any Transport
  let nonces: NoncePool
  /// The CA's clock, as its answers show it.
  var time = AuthorityTime()
  let clock: WallClock
  let logger: Logger

  /// The payload of a request: none is POST-as-GET (RFC 8555, section 6.3).
  enum Payload: Sendable {
    case none
    case json([UInt8])

    /// `{}`: a challenge is ready (RFC 8555, section 7.5.1).
    static let emptyObject = Payload.json(Array("{}".utf8))

    static func encoding(_ value: some Encodable) throws -> Payload {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return .json(Array(try encoder.encode(value)))
    }

    var bytes: [UInt8] {
      switch self {
      case .none: []
      case .json(let bytes): bytes
      }
    }
  }

  /// Reads a resource that everybody may read (RFC 9773, section 7): no account, no signature.
  /// - Throws: the CA's refusal, or why there is no answer, as an ``ACMEError``.
  func get(_ endpoint: Endpoint, _ url: ResourceURL, limit: Int) async throws -> Response {
    let response = try await send(Request(method: .GET, url: url, limit: limit), for: endpoint)
    if var refusal = response.refusal(of: url, now: clock.now()) {
      refusal.endpoint = endpoint
      throw refusal
    }
    return response
  }

  /// Sends one request, with another nonce for as long as the CA wants another.
  /// - Parameter beforeSending: what must be done before the request leaves; not called when it does not come so far.
  /// - Throws: the CA's refusal, or why there is no answer, as an ``ACMEError``.
  func post(
    _ endpoint: Endpoint, _ url: ResourceURL, _ payload: Payload, as identity: JSONWebSignature.Identity, by key: any AccountKey,
    accept: String? = nil, beforeSending: @Sendable () async throws -> Void = {}
  ) async throws -> Response {
    var request = Request(method: .POST, url: url, headers: ["content-type": "application/jose+json"])
    if let accept { request.headers.add(name: "accept", value: accept) }
    var fromRefusal: Nonce?
    for attempt in 1... {
      let nonce: Nonce
      if let fromRefusal { nonce = fromRefusal } else { nonce = try await nonces.take { try await newNonce() } }
      let signed = try JSONWebSignature(payload: payload.bytes, to: url, nonce: nonce, as: identity, by: key)
      request.body = Array(try JSONEncoder().encode(signed))
      if attempt == 1 { try await beforeSending() }
      let response = try await send(request, for: endpoint)
      guard var refusal = response.refusal(of: url, now: clock.now()) else {
        if let nonce = response.replayNonce { nonces.put(nonce) }
        return response
      }
      refusal.endpoint = endpoint
      refusal.hasNonce = response.replayNonce != nil
      guard refusal.document?.type == .badNonce, attempt < Self.mostNonces else {
        if let nonce = response.replayNonce { nonces.put(nonce) }
        throw refusal
      }
      // The nonce that came with the refusal is known to be good (RFC 8555, section 6.5); one from the pool may be as stale as the last.
      fromRefusal = response.replayNonce
      Counter(label: "acme_nonces_rejected").increment()
    }
    throw CancellationError()
  }

  private func newNonce() async throws -> Nonce {
    let response = try await send(Request(method: .HEAD, url: directory.newNonce), for: .newNonce)
    if let refusal = response.refusal(of: directory.newNonce, now: clock.now()) { throw refusal }
    guard let nonce = response.replayNonce else {
      throw ACMEError(.badAnswer, directory.newNonce.value, "the CA gave no nonce (RFC 8555, section 7.2)")
    }
    return nonce
  }

  private func send(_ request: Request, for endpoint: Endpoint) async throws -> Response {
    let response = try await transport.send(request, for: endpoint, logger: logger)
    time.take(response.dateOfToday)
    return response
  }
}

extension Transport {
  /// Sends a request, counts it and logs it; polls only where one looks closely.
  func send(_ request: Request, for endpoint: Endpoint, logger: Logger) async throws -> Response {
    let start = ContinuousClock.now
    do {
      let response = try await send(request)
      Counter(label: "acme_requests", dimensions: [("endpoint", endpoint.rawValue), ("status", "\(response.status)")]).increment()
      let about: LogFields = [
        .endpoint: endpoint.rawValue, .url: request.url, .status: response.status, .duration: start.duration(to: .now).milliseconds,
        .caRequest: response.requestID,
      ]
      logger.log(level: endpoint.isPolled ? .debug : .info, "CA answered", metadata: about)
      logger.trace(
        .httpClient, isOn: TraceCategory.current.contains(.httpClient), "\(request.method) \(request.url): \(response.summary)", metadata: about)
      return response
    } catch let error as ACMEError {
      Counter(label: "acme_requests", dimensions: [("endpoint", endpoint.rawValue), ("status", "none")]).increment()
      let about: LogFields = [.endpoint: endpoint.rawValue, .url: request.url, .duration: start.duration(to: .now).milliseconds]
      logger.info("CA did not answer", error: error, metadata: about)
      logger.trace(
        .httpClient, isOn: TraceCategory.current.contains(.httpClient), "\(request.method) \(request.url): no answer, \(error.cause)", metadata: about
      )
      throw error
    }
  }
}

extension Duration {
  /// Whole milliseconds, for people.
  fileprivate var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
