import NIOHTTP1
import PKI

/// What came of one request.
typealias ProbeOutcome = Result<ProbeAnswer, ProbeFailure>

/// Why there is no answer.
enum ProbeFailure: Error, Sendable, Equatable {
  /// Nobody listens there (ECONNREFUSED).
  case refused
  /// Nothing came back.
  case unanswered
  /// There is no way there, from here or (`beyond`) from further on.
  case unreachable(beyond: Bool)
  /// The connection came about, and nothing in time.
  case silent
  /// The connection ended before the answer did.
  case cut
  /// What came is no HTTP.
  case notHTTP
  /// There is no TLS there, or none that can be used; how that showed.
  case noTLS(String)
}

/// An answer, as much of it as is looked at.
struct ProbeAnswer: Sendable, Equatable {
  let status: Int
  let headers: HTTPHeaders
  let body: [UInt8]

  init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    (self.status, self.headers, self.body) = (status, headers, body)
  }

  /// Whether a CA goes on from here (303 it refuses, though browsers follow it).
  var isRedirect: Bool { [301, 302, 307, 308].contains(status) }

  /// Who answered, in a few words: what the server calls itself is its own word.
  var author: String {
    let server = headers.first(name: "server")?.shown ?? ""
    return "\(server.isEmpty ? "a web server that does not say what it is" : "a web server that calls itself “\(server)”") (status \(status))"
  }

  /// The content delivery network in front, by its traces.
  var contentDelivery: String? {
    let server = headers.first(name: "server")?.lowercased() ?? ""
    let via = headers["via"].joined(separator: ",").lowercased()
    return Self.networks.first { _, servers, fields in
      fields.contains(where: headers.contains(name:)) || servers.contains { server.hasPrefix($0) || via.contains($0) }
    }?.name
  }

  private static let networks: [(name: String, servers: [String], fields: [String])] = [
    ("Cloudflare", ["cloudflare"], ["cf-ray"]),
    ("Amazon CloudFront", ["cloudfront"], ["x-amz-cf-id", "x-amz-cf-pop"]),
    ("Fastly", ["fastly"], ["x-fastly-request-id", "x-served-by"]),
    ("Akamai", ["akamai"], ["x-akamai-transformed", "akamai-grn"]),
    ("Bunny", ["bunnycdn"], ["cdn-pullzone"]),
    ("Azure Front Door", [], ["x-azure-ref"]),
    ("a cache that names itself in x-cache", ["varnish"], ["x-cache"]),
  ]

  /// Whether a person is to log in: a form with a password, or a status that says so (RFC 9110, 15.5.2; RFC 6585, section 6).
  var wantsLogin: Bool {
    guard ![401, 407, 511].contains(status) else { return true }
    let page = String(decoding: body, as: UTF8.self).lowercased()
    return page.contains("<") && ["type=\"password\"", "type=password", "type='password'", "captive portal"].contains { page.contains($0) }
  }
}

extension String {
  /// As much of a stranger's text as stands in a sentence.
  var shown: String { String(String.UnicodeScalarView(unicodeScalars.filter { (0x20...0x7E).contains($0.value) }.prefix(100))) }
}

extension ProbeAnswer {
  /// What a CA makes of a body.
  enum BodyVerdict: Sendable, Hashable {
    case right
    /// The answer is in it, and something else.
    case wrapped
    /// The answer, and blanks beyond what is read.
    case tooLong
    case other
  }

  /// Compares the body with what is expected. Let's Encrypt takes less than 128 bytes, and passes over blanks at their end.
  func verdict(_ expected: KeyAuthorization) -> BodyVerdict {
    guard status == 200 else { return .other }
    let wanted = Array(expected.value.utf8)
    var rest = body[...]
    while let last = rest.last, [0x20, 0x09, 0x0A, 0x0D].contains(last) { rest.removeLast() }
    if rest.elementsEqual(wanted) { return body.count < 128 ? .right : .tooLong }
    return String(decoding: body, as: UTF8.self).contains(expected.value) ? .wrapped : .other
  }
}
