import FoundationEssentials
import NIOHTTP1
import PKI

extension Response {
  /// The nonce for the next request (RFC 8555, section 6.5.1).
  var replayNonce: Nonce? { headers.first(name: "replay-nonce").flatMap { Nonce($0) } }

  /// The URL of what was made (RFC 9110, section 10.2.2).
  func location(of request: ResourceURL) -> ResourceURL? {
    headers.first(name: "location").flatMap { request.resolving($0) }
  }

  /// The links of a relation (RFC 8288), in their order.
  func links(_ relation: String, of request: ResourceURL) -> [ResourceURL] {
    headers["link"].flatMap(LinkHeader.parse).filter { $0.relations.contains(relation) }.compactMap { request.resolving($0.target) }
  }

  /// The CA's clock.
  var date: Instant? { headers.first(name: "date").flatMap { HTTPDate.parse($0) } }

  /// The clock by the age that a cache on the way has given the answer (RFC 9111, section 5.1).
  var dateOfToday: Instant? { date.map { $0 + .seconds(headers.first(name: "age").flatMap { UInt32($0) } ?? 0) } }

  /// How long to wait (RFC 9110, section 10.2.3): seconds, or a date, which counts from the CA's own clock.
  func retryAfter(now: Instant) -> Duration? {
    guard let text = headers.first(name: "retry-after") else { return nil }
    if let seconds = Int64(text) { return min(max(.zero, .seconds(seconds)), Self.longestWait) }
    return HTTPDate.parse(text).map { min(max(.zero, $0 - (date ?? now)), Self.longestWait) }
  }

  /// A wish for a longer wait than this is none.
  private static let longestWait = Duration.seconds(366 * 86_400)

  /// The id under which the CA, or who stands before it, has logged the request.
  var requestID: String? {
    for name in ["x-request-id", "x-correlation-id", "cf-ray", "x-amzn-requestid"] {
      if let id = headers.first(name: name) { return String(id.prefix(128)) }
    }
    return nil
  }

  /// Reads the body as JSON.
  func decode<Value: Decodable>(_ type: Value.Type, from url: ResourceURL) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(body))
    } catch {
      throw ACMEError(.badAnswer, url.value, "the CA's answer is no \(type) (RFC 8555, section 7.1); it may not be an ACME server, or have a fault")
    }
  }

  /// The refusal that the answer is, or nil if it is none.
  func refusal(of url: ResourceURL, now: Instant) -> ACMEError? {
    guard !(200..<300).contains(status) else { return nil }
    let isProblem = headers.first(name: "content-type")?.lowercased().hasPrefix("application/problem+json") ?? false
    let document = isProblem ? try? JSONDecoder().decode(ProblemDocument.self, from: Data(body)) : nil
    let said = document.map { "\($0.type.rawValue): \($0.detail)" } ?? "no problem document"
    let advice = status >= 500 || status == 429 ? "it is busy or down, try later" : "see to authority.directory, and to what stands between"
    var error = ACMEError(document == nil ? .badAnswer : .refused, url.value, "the CA answered with HTTP status \(status) (\(said)); \(advice)")
    error.status = status
    error.document = document
    error.retryAfter = retryAfter(now: now)
    error.help = (links("help", of: url).first ?? links("terms-of-service", of: url).first)?.value
    return error
  }
}
