import Glibc
import NIOCore
import PKI
import ResponderAPI

/// The part of an answer that is the same each time: header fields, empty line, body.
struct PreparedAnswer: Sendable {
  private let bytes: ByteBuffer
  private let headLength: Int

  /// What the CA reads: the key authorization and nothing else (RFC 8555, section 8.3).
  init(_ keyAuthorization: KeyAuthorization) {
    self.init(
      fields: "Content-Type: application/octet-stream\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n", body: keyAuthorization.value
    )
  }

  init(fields: String, body: String) {
    let head = "\(fields)Content-Length: \(body.utf8.count)\r\n\r\n"
    bytes = ByteBuffer(string: head + body)
    headLength = head.utf8.count
  }

  func write(to buffer: inout ByteBuffer, withBody: Bool) {
    if withBody {
      buffer.writeImmutableBuffer(bytes)
    } else if let head = bytes.getSlice(at: 0, length: headLength) {
      buffer.writeImmutableBuffer(head)
    }
  }
}

/// Every answer that this service gives but the one with a key authorization.
enum Refusal: String {
  case badRequest = "400 Bad Request"
  case notFound = "404 Not Found"
  case methodNotAllowed = "405 Method Not Allowed"
  case headTooLarge = "431 Request Header Fields Too Large"

  private static let plain = "Content-Type: text/plain\r\nCache-Control: no-store\r\n"
  private static let badRequestAnswer = PreparedAnswer(fields: plain, body: "bad request\n")
  private static let notFoundAnswer = PreparedAnswer(fields: plain, body: "not found\n")
  private static let methodNotAllowedAnswer = PreparedAnswer(fields: plain + "Allow: GET, HEAD\r\n", body: "method not allowed\n")
  private static let headTooLargeAnswer = PreparedAnswer(fields: plain, body: "request header fields too large\n")

  var answer: PreparedAnswer {
    switch self {
    case .badRequest: Self.badRequestAnswer
    case .notFound: Self.notFoundAnswer
    case .methodNotAllowed: Self.methodNotAllowedAnswer
    case .headTooLarge: Self.headTooLargeAnswer
    }
  }
}

/// A status line and Date, which a server with a clock sends (RFC 9110, section 6.6.1); made once a second.
struct DatedStatus {
  /// The second that it shows.
  private(set) var second: time_t = -1
  private var date = ""
  private var ok = ByteBuffer()

  mutating func update(to now: time_t) {
    guard now != second else { return }
    second = now
    date = Self.format(now)
    ok = ByteBuffer(string: "HTTP/1.1 200 OK\r\nDate: \(date)\r\n")
  }

  func writeOK(to buffer: inout ByteBuffer) { buffer.writeImmutableBuffer(ok) }

  func write(_ refusal: Refusal, to buffer: inout ByteBuffer) { buffer.writeString("HTTP/1.1 \(refusal.rawValue)\r\nDate: \(date)\r\n") }

  /// IMF-fixdate (RFC 9110, section 5.6.7).
  static func format(_ moment: time_t) -> String {
    var moment = moment
    var parts = tm()
    gmtime_r(&moment, &parts)
    let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(parts.tm_wday)]
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][Int(parts.tm_mon)]
    func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(weekday), \(two(parts.tm_mday)) \(month) \(1900 + parts.tm_year) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }
}
