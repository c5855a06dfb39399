import CoreMetrics
import LineLog
import Logging
import RawSocket
import ServiceLifecycle
import Synchronization
import Systemd
import Telemetry

@testable import ChallengeHTTP

/// The HTTP side on a port of its own.
struct TestHTTPServer {
  let port: UInt16
  let tokens: LiveTokens
  let clock: TestClock
  let lines: LineLog.Lines
  let metrics: MetricsRegistry
  let uses: Uses
  private let group: ServiceGroup

  final class Uses: Sendable {
    private let uses = Mutex(0)
    var count: Int { uses.withLock { $0 } }
    func add() { uses.withLock { $0 += 1 } }
  }

  func stop() async { await group.triggerGracefulShutdown() }

  func connect() throws -> RawSocket { try RawSocket.connect(port: port) }

  /// Sends a request that ends the connection, and returns all that is answered.
  func exchange(_ request: String) async throws -> Answer {
    let socket = try connect()
    try await socket.send(request)
    return Answer(try await socket.receiveAll())
  }

  func get(_ path: String, method: String = "GET", fields: String = "Connection: close\r\n") async throws -> Answer {
    try await exchange("\(method) \(path) HTTP/1.1\r\nHost: phone.example.com\r\n\(fields)\r\n")
  }

  static func run(
    limits: HTTPLimits = HTTPLimits(), on listener: (socket: RawSocket, port: UInt16)? = nil, tokensIn folder: TemporaryFolder? = nil,
    _ body: (TestHTTPServer) async throws -> Void
  ) async throws {
    let folder = try folder ?? TemporaryFolder()
    let (socket, port) = try listener ?? RawSocket.listen()
    let clock = TestClock()
    let lines = LineLog.Lines()
    let metrics = MetricsRegistry()
    let uses = Uses()
    let logger = LineLog.make(lines)
    let tokens = try LiveTokens(log: folder.leaseLog, clock: clock.wall, logger: logger)
    let server = HTTPServer(
      listeners: [ListeningSocket(descriptor: try socket.duplicate(), name: "challenge-http-http")], tokens: tokens,
      hits: HitLog(logger: logger, metrics: metrics), limits: limits, isUsed: { uses.add() })
    let group = ServiceGroup(services: [server], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await body(TestHTTPServer(port: port, tokens: tokens, clock: clock, lines: lines, metrics: metrics, uses: uses, group: group))
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }
}

/// An answer, taken apart.
struct Answer: Equatable {
  var status = ""
  var fields: [String: String] = [:]
  var body = ""

  init(_ text: String) {
    guard let end = text.firstRange(of: "\r\n\r\n") else { return }
    let lines = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
    status = lines.first ?? ""
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    body = String(text[end.upperBound...])
  }

  var code: Int { status.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0 }
}
