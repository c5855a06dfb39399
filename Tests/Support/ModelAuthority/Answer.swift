import FoundationEssentials
import NIOHTTP1

/// A request as it came over HTTP.
struct Incoming: Sendable {
  var method: HTTPMethod
  var path: String
  var headers: HTTPHeaders
  var body: [UInt8]
}

/// What is sent back, and how.
struct Answer: Sendable {
  /// How much of it leaves.
  enum Delivery: Sendable { case whole, half, none }

  var status: Int
  var headers: HTTPHeaders = [:]
  var body: [UInt8] = []
  var delivery = Delivery.whole
  var delay = Duration.zero
  /// The pause before each byte of the body.
  var drip = Duration.zero
  /// A header field that is left out.
  var omitted: String?

  /// An object as JSON.
  static func json(_ object: some Encodable, status: Int = 200, headers: HTTPHeaders = [:]) -> Answer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    var headers = headers
    headers.add(name: "content-type", value: "application/json")
    // Every object here consists of texts and numbers, which is always JSON.
    return Answer(status: status, headers: headers, body: (try? encoder.encode(object)).map { Array($0) } ?? [])
  }

  /// What a proxy says.
  static func page(status: Int, retryAfter: String? = nil) -> Answer {
    var headers: HTTPHeaders = ["content-type": "text/html"]
    if let retryAfter { headers.add(name: "retry-after", value: retryAfter) }
    return Answer(status: status, headers: headers, body: Array("<html><body><h1>\(status)</h1>We are working on it.</body></html>".utf8))
  }
}
