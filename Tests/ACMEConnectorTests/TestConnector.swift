import ArgumentParser
import FoundationEssentials
import Logging
import NIOConcurrencyHelpers
import PKI
import Systemd
import Varlink

@testable import ACMEConnectorCommand

/// A connector whose services answer what a test tells them, on sockets in a folder of its own.
struct TestConnector: Sendable {
  let directory: String

  /// Runs `body` while these services answer: the name of a socket, and what is served there.
  static func serving<Result: Sendable>(
    _ sockets: [String: VarlinkInterfaceHandlers], _ body: @Sendable (TestConnector) async throws -> Result
  ) async throws -> Result {
    let directory = "/tmp/acme-connector-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      for (name, handlers) in sockets {
        // The socket is there before the server is, so that no call comes too early.
        let socket = try ListeningSocket.bind(unixPath: "\(directory)/\(name)")
        let server = VarlinkServer(
          service: VarlinkServiceDescription(vendor: "test", product: "test", version: "1", url: "test"), interfaces: [handlers],
          listeners: [.inherited(descriptor: socket.descriptor, name: name)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        tasks.addTask { try await server.run() }
      }
      defer { tasks.cancelAll() }
      return try await body(TestConnector(directory: directory))
    }
  }

  /// What a command has printed.
  struct Printed: Sendable {
    var output = ""
    var notes = ""
  }

  /// Runs a command line on this connector, in this process, with a person who gives these answers; nil: with nobody.
  /// - Throws: a ``CommandError``, as a person would read it.
  @discardableResult
  func run(_ arguments: String..., width: Int? = nil, answers: [String]? = nil) async throws -> Printed {
    try await run(arguments: arguments, width: width, answers: answers)
  }

  /// The same.
  @discardableResult
  func run(arguments: [String], width: Int? = nil, answers: [String]? = nil) async throws -> Printed {
    let printed = NIOLockedValueBox(Printed())
    let left = NIOLockedValueBox((answers ?? [])[...])
    let answer: @Sendable () -> String? = { left.withLockedValue { $0.popFirst() } }
    let terminal = Terminal(clock: WallClock { Self.now }, width: width, read: answers == nil ? nil : answer) { text, stream in
      printed.withLockedValue {
        switch stream {
        case .output: $0.output += text
        case .notes: $0.notes += text
        }
      }
    }
    guard let command = try ACMEConnector.parseAsRoot(arguments + ["--runtime", directory]) as? any ConnectorCommand else {
      throw CommandError("This is no command.")
    }
    do {
      try await command.perform(with: command.options.connector, on: terminal)
    } catch let code as ExitCode {
      throw code
    } catch {
      throw CommandError(explaining: error)
    }
    return printed.withLockedValue { $0 }
  }

  /// When all this happens.
  static let now = moment("2026-11-23T12:00:00.000Z")

  /// A moment by its text.
  static func moment(_ text: String) -> Instant {
    (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))).map(Instant.init) ?? .earliest
  }
}
