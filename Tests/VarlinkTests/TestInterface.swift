import Telemetry

@testable import Varlink

extension VarlinkInterface {
  static let test = VarlinkInterface(
    "com.example.test", text: PackageResources.com_example_test_varlink, faults: [Test.Refusal.self, Restarting.self])
}

/// The methods of `com.example.test`.
enum Test {
  struct Text: Codable, Sendable, Hashable { var text: String }
  struct Number: Codable, Sendable, Hashable { var number: Int }

  struct Echo: VarlinkMethod {
    static let interface = VarlinkInterface.test
    typealias Parameters = Text
    typealias Reply = Text
  }

  struct Count: VarlinkMethod {
    static let interface = VarlinkInterface.test
    struct Parameters: Codable, Sendable { var to: Int }
    typealias Reply = Number
  }

  struct Follow: VarlinkMethod {
    static let interface = VarlinkInterface.test
    typealias Parameters = NoMembers
    typealias Reply = Number
  }

  struct Flood: VarlinkMethod {
    static let interface = VarlinkInterface.test
    typealias Parameters = NoMembers
    typealias Reply = Text
  }

  struct Hold: VarlinkMethod {
    static let interface = VarlinkInterface.test
    typealias Parameters = NoMembers
    typealias Reply = Number
  }

  struct Fail: VarlinkMethod {
    static let interface = VarlinkInterface.test
    struct Parameters: Codable, Sendable { var reason: String }
    typealias Reply = NoMembers
  }

  struct Break: VarlinkMethod {
    static let interface = VarlinkInterface.test
    typealias Parameters = NoMembers
    typealias Reply = NoMembers
  }

  struct Note: VarlinkMethod {
    static let interface = VarlinkInterface.test
    typealias Parameters = Text
    typealias Reply = NoMembers
  }

  struct Who: VarlinkMethod {
    static let interface = VarlinkInterface.test
    typealias Parameters = NoMembers
    struct Reply: Codable, Sendable, Hashable {
      var pid: Int32
      var uid: UInt32
      var listener: String
    }
  }

  struct Trace: VarlinkMethod {
    static let interface = VarlinkInterface.test
    typealias Parameters = OnlyTrace
    struct Reply: Codable, Sendable { var seen: TraceContext? }
  }

  struct Nested: VarlinkMethod {
    static let interface = VarlinkInterface.test
    struct Item: Codable, Sendable { var inner: Number }
    struct Parameters: Codable, Sendable { var items: [Item] }
    typealias Reply = NoMembers
  }

  struct Refusal: VarlinkFault, Hashable { var reason: String }
}

/// What serves the interface, and what a test sees of it.
struct Probe {
  /// Lets `Hold` and `Follow` go on.
  let release = Signal()
  private let events = AsyncStream.makeStream(of: String.self)

  /// The next thing that a handler has noted.
  func next() async -> String? {
    for await event in events.stream { return event }
    return nil
  }

  private func waitForRelease() async throws {
    events.continuation.yield("held")
    await release.wait()
    guard !Task.isCancelled else {
      events.continuation.yield("cancelled")
      throw CancellationError()
    }
  }

  var handlers: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(
      .test,
      [
        .reply(Test.Echo.self) { parameters, _ in parameters },
        .stream(Test.Count.self) { parameters, _, replies in
          for number in 1..<parameters.to { try await replies.send(.init(number: number)) }
          return .init(number: parameters.to)
        },
        .stream(Test.Follow.self, requiresMore: false) { _, call, replies in
          if call.wantsMore { try await replies.send(.init(number: 1)) }
          try await waitForRelease()
          return .init(number: 2)
        },
        .stream(Test.Flood.self) { _, _, replies in
          events.continuation.yield("held")
          defer { events.continuation.yield("cancelled") }
          let text = Test.Text(text: String(repeating: "x", count: 60_000))
          while !Task.isCancelled { try await replies.send(text) }
          return text
        },
        .reply(Test.Hold.self) { _, _ in
          try await waitForRelease()
          return .init(number: 1)
        },
        .reply(Test.Fail.self) { parameters, _ in throw Test.Refusal(reason: parameters.reason) },
        .reply(Test.Break.self) { _, _ in
          throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a file of the service's own, with a secret in it"))
        },
        .reply(Test.Note.self) { parameters, _ in
          try await Task.sleep(for: .milliseconds(20))
          events.continuation.yield(parameters.text)
          return NoMembers()
        },
        .reply(Test.Who.self) { _, call in
          .init(pid: PeerCredentials.caller?.processID ?? 0, uid: PeerCredentials.caller?.userID ?? .max, listener: call.listener)
        },
        .reply(Test.Trace.self) { _, _ in .init(seen: TraceContext.current) },
        .reply(Test.Nested.self) { _, _ in NoMembers() },
      ])
  }
}
