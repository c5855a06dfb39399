import Glibc
import RawSocket
import Telemetry
import Testing

@testable import Varlink

@Suite("A Varlink server", .timeLimit(.minutes(1)))
struct ServerTests {
  @Test("answers a call")
  func call() async throws {
    try await TestServer.run { server in
      let reply = try await server.client.call(Test.Echo.self, .init(text: "grüß dich"))
      #expect(reply.text == "grüß dich")
      #expect(try await server.exchange(#"{"method":"com.example.test.Echo","parameters":{"text":"a/b"}}"#) == #"{"parameters":{"text":"a/b"}}"#)
    }
  }

  @Test("answers the calls of one connection in their order")
  func pipelining() async throws {
    try await TestServer.run { server in
      let socket = try server.connect()
      let calls = (0..<200).map { #"{"method":"com.example.test.Echo","parameters":{"text":"\#($0)"}}"# }
      try await socket.send(calls.joined(separator: "\0") + "\0")
      for number in 0..<200 { #expect(try await socket.receive(until: "\0") == #"{"parameters":{"text":"\#(number)"}}"#) }
    }
  }

  @Test("streams replies, all but the last with continues")
  func stream() async throws {
    try await TestServer.run { server in
      let socket = try server.connect()
      try await socket.send(#"{"method":"com.example.test.Count","parameters":{"to":2},"more":true}"# + "\0")
      #expect(try await socket.receive(until: "\0") == #"{"continues":true,"parameters":{"number":1}}"#)
      #expect(try await socket.receive(until: "\0") == #"{"parameters":{"number":2}}"#)
      #expect(
        try await server.exchange(#"{"method":"com.example.test.Follow","parameters":{}}"#, releasing: server.probe)
          == #"{"parameters":{"number":2}}"#)
    }
  }

  @Test("serves a oneway call without a reply, even when the caller closes at once")
  func oneway() async throws {
    try await TestServer.run { server in
      for number in 0..<20 {
        try await server.client.notify(Test.Note.self, .init(text: "\(number)"))
        #expect(await server.probe.next() == "\(number)")
      }
      let socket = try server.connect()
      try await socket.send(#"{"method":"com.example.test.Note","parameters":{"text":"x"},"oneway":true}"# + "\0")
      try await socket.send(#"{"method":"com.example.test.Missing","oneway":true}"# + "\0")
      try await socket.send(#"{"method":"com.example.test.Echo","parameters":{"text":"y"}}"# + "\0")
      #expect(try await socket.receive(until: "\0") == #"{"parameters":{"text":"y"}}"#)
    }
  }

  @Test("answers a declared error with its parameters")
  func fault() async throws {
    try await TestServer.run { server in
      await #expect(throws: Test.Refusal(reason: "on purpose")) { try await server.client.call(Test.Fail.self, .init(reason: "on purpose")) }
      let reply = try await server.exchange(#"{"method":"com.example.test.Fail","parameters":{"reason":"r"}}"#)
      #expect(reply == #"{"error":"com.example.test.Refusal","parameters":{"reason":"r"}}"#)
    }
  }

  @Test(
    "answers what it does not serve with the error of org.varlink.service",
    arguments: [
      ("com.example.test.Nothing", "MethodNotFound", "method", "com.example.test.Nothing"),
      ("com.example.test.Missing", "MethodNotImplemented", "method", "com.example.test.Missing"),
      ("com.example.other.Echo", "InterfaceNotFound", "interface", "com.example.other"),
      ("", "InterfaceNotFound", "interface", ""),
      ("Echo", "InterfaceNotFound", "interface", ""),
      ("com.example.test.Count", "ExpectedMore", "", ""),
    ])
  func notServed(method: String, error: String, member: String, value: String) async throws {
    try await TestServer.run { server in
      let parameters = member.isEmpty ? "{}" : #"{"\#(member)":"\#(value)"}"#
      let reply = try await server.exchange(#"{"method":"\#(method)","parameters":{"to":1}}"#)
      #expect(reply == #"{"error":"org.varlink.service.\#(error)","parameters":\#(parameters)}"#)
    }
  }

  @Test(
    "names the parameter that it cannot read",
    arguments: [
      ("Echo", #","parameters":{}"#, "text"),
      ("Echo", "", "text"),
      ("Echo", #","parameters":null"#, "text"),
      ("Echo", #","text":"not here""#, "text"),
      ("Echo", #","parameters":{"text":7}"#, "text"),
      ("Echo", #","parameters":[]"#, "parameters"),
      ("Nested", #","parameters":{"items":[{"inner":{"number":1}},{"inner":{"number":"1"}}]}"#, "items.1.inner.number"),
      ("Trace", #","parameters":{"trace":"00-short"}"#, "trace"),
    ])
  func invalidParameter(method: String, parameters: String, name: String) async throws {
    try await TestServer.run { server in
      let reply = try await server.exchange(#"{"method":"com.example.test.\#(method)"\#(parameters)}"#)
      #expect(reply == #"{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"\#(name)"}}"#)
    }
  }

  @Test("answers a failure of its own without telling what it is, and blames nobody else")
  func internalError() async throws {
    try await TestServer.run { server in
      let reply = try await server.exchange(#"{"method":"com.example.test.Break"}"#)
      #expect(reply == #"{"error":"org.acmeconnector.InternalError","parameters":{"method":"com.example.test.Break"}}"#)
    }
  }

  @Test("answers an error that is longer than a message as a failure of its own, and does not leave the caller without an answer")
  func errorTooLong() async throws {
    try await TestServer.run { server in
      // The call is as long as may be; the error with the same reason is two bytes longer.
      let (before, after) = (#"{"method":"com.example.test.Fail","parameters":{"reason":""#, #""}}"#)
      let reason = String(repeating: "r", count: VarlinkLimits().messageBytes - before.utf8.count - after.utf8.count)
      let reply = try await server.exchange(before + reason + after)
      #expect(reply == #"{"error":"org.acmeconnector.InternalError","parameters":{"method":"com.example.test.Fail"}}"#)
    }
  }

  @Test("describes itself, and serves the interface texts as they are written")
  func introspection() async throws {
    try await TestServer.run { server in
      let info = try await server.client.call(ServiceInterface.GetInfo.self, NoMembers())
      #expect(info.product == "test")
      #expect(info.interfaces == ["org.varlink.service", "com.example.test"])
      let text = try await server.client.call(ServiceInterface.GetInterfaceDescription.self, .init(interface: "com.example.test")).description
      #expect(Array(text.utf8) == PackageResources.com_example_test_varlink)
    }
  }

  @Test("knows who calls, and on which socket")
  func peer() async throws {
    try await TestServer.run { server in
      let caller = try await server.client.call(Test.Who.self, NoMembers())
      #expect(PeerCredentials(processID: 1, userID: 0, groupID: 0).description == "root (uid 0)")
      #expect(PeerCredentials(processID: 1, userID: 4_000_000_000, groupID: 0).description == "uid 4000000000")
      #expect(caller == .init(pid: getpid(), uid: getuid(), listener: "test-socket"))
    }
  }

  @Test("serves a call inside the caller's trace")
  func trace() async throws {
    try await TestServer.run { server in
      let trace = TraceContext.make()
      let seen = try await TraceContext.$current.withValue(trace) { try await server.client.call(Test.Trace.self, OnlyTrace()).seen }
      #expect(seen == trace)
    }
  }

  @Test("answers a caller who has closed its side of the connection, as socat does")
  func halfClosed() async throws {
    try await TestServer.run { server in
      for method in ["Hold", "Follow"] {
        let socket = try server.connect()
        try await socket.send(#"{"method":"com.example.test.\#(method)","parameters":{}}"# + "\0")
        socket.closeOutput()
        #expect(await server.probe.next() == "held")
        server.probe.release.fire()
        #expect(try await socket.receiveAll().hasPrefix(#"{"parameters":{"number":"#))
      }
    }
  }

  @Test("cancels a call when its caller closes, and a stream when its caller sends no more")
  func cancellation() async throws {
    try await TestServer.run { server in
      let caller = try server.connect()
      try await caller.send(#"{"method":"com.example.test.Hold","parameters":{}}"# + "\0")
      #expect(await server.probe.next() == "held")
      caller.close()
      #expect(await server.probe.next() == "cancelled")

      let reader = try server.connect()
      try await reader.send(#"{"method":"com.example.test.Follow","more":true}"# + "\0")
      #expect(await server.probe.next() == "held")
      reader.closeOutput()
      #expect(await server.probe.next() == "cancelled")
      #expect(try await reader.receiveAll() == #"{"continues":true,"parameters":{"number":1}}"# + "\0")
    }
  }
}

extension TestServer {
  fileprivate func exchange(_ call: String, releasing probe: Probe) async throws -> String? {
    probe.release.fire()
    return try await exchange(call)
  }
}
