import NIOHTTP1

/// One HTTP request to a CA.
struct Request: Sendable {
  var method: HTTPMethod
  var url: ResourceURL
  var headers: HTTPHeaders = [:]
  var body: [UInt8] = []
  /// The most bytes of an answer that make sense.
  var limit = 1 << 20
}

/// What the CA answered.
struct Response: Sendable {
  var status: Int
  var headers: HTTPHeaders
  var body: [UInt8]
}

/// Carries requests to a CA, and nothing else: no redirects, no retries.
protocol Transport: Sendable {
  /// - Throws: an ``ACMEError`` when there is no answer, or `CancellationError`.
  func send(_ request: Request) async throws -> Response
}
