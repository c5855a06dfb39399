import RawSocket
import Testing

@testable import Varlink

@Suite("A Varlink client", .timeLimit(.minutes(1)))
struct ClientTests {
  private static let call = #"{"method":"com.example.test.Echo","parameters":{"text":"x"}}"#
  private static let reply = #"{"parameters":{"text":"y"}}"# + "\0"

  /// A client, and a service that says exactly what the test says.
  private struct Script {
    let folder: TemporaryFolder
    let socket: RawSocket
    let client: VarlinkClient

    init(limits: VarlinkLimits = VarlinkLimits()) throws {
      folder = try TemporaryFolder()
      socket = try RawSocket.listen(unix: folder.path + "/socket")
      client = VarlinkClient(path: folder.path + "/socket", limits: limits)
    }

    /// Takes a connection and a call from it.
    func takeCall() async throws -> RawSocket {
      let connection = try await socket.accept()
      #expect(try await connection.receive(until: "\0") != nil)
      return connection
    }
  }

  private func expect(_ code: VarlinkError.Code, _ error: VarlinkError?, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(error?.code == code, "\(error.map(String.init(describing:)) ?? "no error")", sourceLocation: sourceLocation)
  }

  @Test("calls once more when the connection ends before the first reply")
  func retries() async throws {
    let script = try Script()
    async let text = script.client.call(Test.Echo.self, .init(text: "x")).text
    try await script.takeCall().close()
    let connection = try await script.socket.accept()
    #expect(try await connection.receive(until: "\0") == Self.call)
    try await connection.send(Self.reply)
    #expect(try await text == "y")
    #expect(try await connection.receive(until: "\0") == nil)
  }

  @Test("calls twice at most")
  func givesUp() async throws {
    let script = try Script()
    async let outcome = #expect(throws: VarlinkError.self) { try await script.client.call(Test.Echo.self, .init(text: "x")) }
    try await script.takeCall().close()
    try await script.takeCall().close()
    expect(.closed, await outcome)
  }

  @Test("does not call again once a reply has come")
  func noRetryInTheMiddle() async throws {
    let script = try Script()
    async let outcome = #expect(throws: VarlinkError.self) {
      try await script.client.stream(Test.Count.self, .init(to: 2)) { #expect($0.number == 1) }
    }
    let connection = try await script.takeCall()
    try await connection.send(#"{"continues":true,"parameters":{"number":1}}"# + "\0")
    connection.close()
    expect(.closed, await outcome)
  }

  @Test("hands over the replies of a stream one by one, and returns the last")
  func stream() async throws {
    try await TestServer.run { server in
      let (numbers, continuation) = AsyncStream.makeStream(of: Int.self)
      let last = try await server.client.stream(Test.Count.self, .init(to: 500)) { continuation.yield($0.number) }
      #expect(last.number == 500)
      continuation.finish()
      #expect(await numbers.reduce(into: []) { $0.append($1) } == Array(1..<500))
    }
  }

  @Test("says where nobody listens")
  func unreachable() async throws {
    let folder = try TemporaryFolder()
    let client = VarlinkClient(path: folder.path + "/nobody")
    let error = await #expect(throws: VarlinkError.self) { try await client.call(Test.Echo.self, .init(text: "x")) }
    expect(.unreachable, error)
    #expect(error?.description.contains(folder.path + "/nobody") == true)
  }

  @Test("ends a call at its time limit, and closes the connection")
  func timeLimit() async throws {
    let script = try Script()
    async let outcome = #expect(throws: VarlinkError.self) {
      try await script.client.call(Test.Echo.self, .init(text: "x"), timeLimit: .seconds(1))
    }
    let connection = try await script.takeCall()
    #expect(try await connection.receive(until: "\0") == nil)
    expect(.timedOut, await outcome)
  }

  @Test("closes the connection when its task is cancelled")
  func cancellation() async throws {
    let script = try Script()
    let task = Task { try await script.client.call(Test.Echo.self, .init(text: "x")) }
    let connection = try await script.takeCall()
    task.cancel()
    #expect(try await connection.receive(until: "\0") == nil)
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("closes the connection when whoever reads the stream fails, and passes the error on")
  func readerFails() async throws {
    struct Enough: Error {}
    try await TestServer.run { server in
      await #expect(throws: Enough.self) { try await server.client.stream(Test.Follow.self, NoMembers()) { _ in throw Enough() } }
      #expect(await server.probe.next() == "held")
      #expect(await server.probe.next() == "cancelled")
    }
  }

  @Test(
    "says what is wrong with a reply",
    arguments: [
      (#"{"error":"com.example.test.Unheard","parameters":{}}"#, VarlinkError.Code.refused),
      (#"{"parameters":{}}"#, .badMessage), ("[]", .badMessage), ("what?", .badMessage),
      (#"{"parameters":{"text":"\#(String(repeating: "x", count: 1000))"}}"#, .tooLarge),
      (#"{"parameters":{"text":\#(String(repeating: "[", count: 40))}}"#, .tooLarge),
    ])
  func badReplies(reply: String, code: VarlinkError.Code) async throws {
    var limits = VarlinkLimits()
    limits.messageBytes = 900
    let script = try Script(limits: limits)
    async let outcome = #expect(throws: VarlinkError.self) { try await script.client.call(Test.Echo.self, .init(text: "x")) }
    let connection = try await script.takeCall()
    try await connection.send(reply + "\0")
    expect(code, await outcome)
  }

  @Test("sends nothing that is longer than a message may be")
  func tooLong() async throws {
    var limits = VarlinkLimits()
    limits.messageBytes = 100
    let script = try Script(limits: limits)
    let error = await #expect(throws: VarlinkError.self) {
      try await script.client.call(Test.Echo.self, .init(text: String(repeating: "x", count: 100)))
    }
    expect(.tooLarge, error)
  }
}
