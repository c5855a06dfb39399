import Logging
import RawSocket
import ServiceLifecycle
import Synchronization
import Testing

@testable import Varlink

@Suite("Lists in parts", .timeLimit(.minutes(1)))
struct ListTests {
  private struct Entries: VarlinkListMethod {
    static let interface = VarlinkInterface("com.example.list", text: [])
    struct Parameters: Codable, Sendable, VarlinkListSelection {
      var after: Int?
    }
    struct Reply: Codable, Sendable, VarlinkListPart {
      var entries: [Entry]
      var next: Int?
    }
    struct Entry: Codable, Sendable, Hashable {
      var number: Int
      var text = ""
    }
    static func place(of entry: Entry) -> Int { entry.number }
  }

  /// Serves as many entries as `count` says, each with a text of `length`.
  private func serving(_ count: Int, length: Int = 0, _ body: (VarlinkClient) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/socket"
    let socket = try RawSocket.listen(unix: path)
    let handler = VarlinkHandler.list(Entries.self) { call in
      let first = (call.after ?? 0) + 1
      return first > count
        ? []
        : (first...min(count, first + Entries.lookAhead - 1)).map { .init(number: $0, text: String(repeating: "x", count: length)) }
    }
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let server = VarlinkServer(
      service: .init(vendor: "test", product: "test", version: "1", url: ""), interfaces: [VarlinkInterfaceHandlers(Entries.interface, [handler])],
      listeners: [.inherited(descriptor: try socket.duplicate(), name: "test")], logger: logger)
    let group = ServiceGroup(services: [server], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await body(VarlinkClient(path: path))
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  @Test("are whole, and in order, however long they are", arguments: [0, 1, 200, 201, 5_000])
  func whole(count: Int) async throws {
    try await serving(count) { client in
      let list = try await client.list(Entries.self, .init())
      #expect(list.entries.map(\.number) == Array(1..<(count + 1)))
    }
  }

  @Test("come with `more` one part after the other, and the last has no next")
  func stream() async throws {
    try await serving(450) { client in
      let sizes = Mutex<[Int]>([])
      let last = try await client.stream(Entries.self, .init()) { part in
        sizes.withLock { $0.append(part.entries.count) }
      }
      #expect(sizes.withLock { $0 } == [200, 200])
      #expect(last.entries.map(\.number) == Array(401...450))
      #expect(last.next == nil)
    }
  }

  @Test("of long entries have shorter parts, so that each fits a message", arguments: [7_000, 300_000, 900_000])
  func bytes(length: Int) async throws {
    try await serving(120, length: length) { client in
      let part = try await client.call(Entries.self, .init())
      #expect(part.entries.count == max(1, (512 << 10) / (length + 24)))
      #expect(part.next == part.entries.count)
      let rest = try await client.list(Entries.self, .init(after: 117))
      #expect(rest.entries.map(\.number) == [118, 119, 120])
    }
  }
}
