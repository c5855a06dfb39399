import AppWebsocket
import DeviceGatewayAPI
import FoundationEssentials
import Glibc
import NIOCore
import RawSocket
import SchedulerAPI
import Testing
import Varlink

@testable import DeviceGateway

@Suite("Connections", .timeLimit(.minutes(1)))
struct ConnectionTests {
  @Test("a message in fragments, with a ping between them, is one message")
  func fragments() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.connect()
      try await device.send(opcode: 1, Array(#"{"mt":"App"#.utf8), isFinal: false)
      try await device.send(opcode: 9, Array("between".utf8))
      try await device.send(opcode: 0, Array(#"Chall"#.utf8), isFinal: false)
      try await device.send(opcode: 0, Array(#"enge"}"#.utf8))
      #expect(try await device.receive() == TestDevice.Frame(opcode: 10, payload: Array("between".utf8)))
      #expect(try await device.message(AppChallengeResult.self).message.challenge.description.count == 16)
    }
  }

  @Test(
    "what breaks the rules closes the connection with its code",
    arguments: [
      (1002, TestDevice.frame(opcode: 1, [0x7b, 0x7d], isMasked: false)),
      (1002, TestDevice.frame(opcode: 0, [0x7b, 0x7d])),
      (1002, TestDevice.frame(opcode: 9, [0x7b, 0x7d], isFinal: false)),
      (1003, TestDevice.frame(opcode: 2, [0x7b, 0x7d])),
      (1007, TestDevice.frame(opcode: 1, [0xc3, 0x28])),
      (1008, TestDevice.frame(opcode: 1, Array("[]".utf8))),
      (1008, TestDevice.frame(opcode: 1, Array(#"{"mt":"#.utf8))),
      (1009, TestDevice.frame(opcode: 1, Array(repeating: 0x20, count: 65_537))),
      (
        1009,
        TestDevice.frame(opcode: 1, Array(repeating: 0x20, count: 65_536), isFinal: false)
          + TestDevice.frame(opcode: 0, Array(repeating: 0x20, count: 1))
      ),
    ])
  func violations(code: Int, bytes: [UInt8]) async throws {
    try await TestGateway.run(withScheduler: false) { gateway in
      let device = try await gateway.connect()
      try await device.socket.send(bytes)
      #expect(try await device.closeCode() == code)
    }
  }

  @Test("a close is answered with its code, and the connection ends")
  func close() async throws {
    try await TestGateway.run(withScheduler: false) { gateway in
      let device = try await gateway.connect()
      try await device.send(opcode: 8, [0x03, 0xe8])
      #expect(try await device.closeCode() == 1000)
      #expect(try await device.receive() == nil)
    }
  }

  @Test("only the instance path, and what is below it, is upgraded; all else is not found")
  func paths() async throws {
    try await TestGateway.run(withScheduler: false) { gateway in
      _ = try await gateway.connect(path: "/connector")
      _ = try await gateway.connect(path: "/connector/a/b?c")
      let refused = await #expect(throws: TestDevice.NotUpgraded.self) { try await gateway.connect(path: "/connectors") }
      #expect(refused?.head.hasPrefix("HTTP/1.1 404 ") == true)
    }
  }

  @Test(
    "plain requests are answered and the connection closed",
    arguments: [
      ("GET /connector/connector.pem", "200 OK"), ("HEAD /connector/connector.pem", "200 OK"),
      ("POST /connector/connector.pem", "405 Method Not Allowed"), ("GET /", "404 Not Found"), ("GET /connector/", "404 Not Found"),
      ("GET /connector/x HTTP/1.1\r\nUpgrade: websocket\r\nX: ", "400 Bad Request"),
    ])
  func plainRequests(request: String, status: String) async throws {
    try await TestGateway.run(withScheduler: false) { gateway in
      let socket = try RawSocket.connect(port: gateway.port)
      try await socket.send("\(request) HTTP/1.1\r\nHost: x\r\n\r\n")
      let answer = try await socket.receiveAll()
      #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"))
      #expect(answer.contains("-----BEGIN CERTIFICATE-----") == (status == "200 OK" && request.hasPrefix("GET")))
    }
  }

  @Test("a request head that is too large, or does not come, ends the connection")
  func head() async throws {
    var limits = DoorLimits()
    limits.headTime = .milliseconds(100)
    try await TestGateway.run(limits: limits, withScheduler: false) { gateway in
      let large = try RawSocket.connect(port: gateway.port)
      try await large.send("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 9000))")
      #expect(try await large.receiveAll() == "")
      let silent = try RawSocket.connect(port: gateway.port)
      #expect(try await silent.receiveAll() == "")
    }
  }

  @Test("more strangers than there may be make room, the one that was silent for longest first; those who log in stay")
  func strangers() async throws {
    var limits = DoorLimits()
    limits.strangers = 2
    try await TestGateway.run(limits: limits) { gateway in
      let known = try await gateway.device("known")
      let strangers = [try await gateway.connect(), try await gateway.connect()]
      let late = try await gateway.connect()
      #expect(try await strangers[0].receive() == nil)
      for device in [strangers[1], late] {
        #expect(try await device.logIn(sip: "late", secret: TestGateway.deviceSecret) == .accepted(domain: ""))
      }
      try await known.send(KeepAlive().text)
      #expect(try await known.answer(KeepAlive.name).name == KeepAlive.name)
    }
  }

  @Test("who answers no pings is given up, who answers stays")
  func pings() async throws {
    var limits = DoorLimits()
    limits.pingInterval = .milliseconds(200)
    try await TestGateway.run(limits: limits) { gateway in
      let silent = try await gateway.device("silent")
      let alive = try await gateway.device("alive")
      var pings = 0
      while pings < 4 {
        guard let frame = try await alive.receive() else { break }
        guard frame.opcode == 9 else { continue }
        pings += 1
        try await alive.send(opcode: 10, frame.payload)
      }
      #expect(pings == 4)
      #expect(try await silent.closeCode() == nil)
      try await alive.send(KeepAlive().text)
      #expect(try await alive.answer(KeepAlive.name).name == KeepAlive.name)
    }
  }

  @Test("a device that does not read what it is sent is let go")
  func slowReader() async throws {
    var limits = DoorLimits()
    limits.outboundBytes = 65_536
    try await TestGateway.run(limits: limits) { gateway in
      let device = try await gateway.device("slow")
      let id = FakeScheduler.id(.init(scope: "instance", sip: "slow"))
      try await eventually("the device is registered") { gateway.scheduler.with { !$0.registrations.isEmpty } }
      var large = RequestView(id: .init(rawValue: "large"), slot: "default", state: .failed)
      large.failure = RequestFailure(error: "challengeFailed", text: String(repeating: "x", count: 60_000), final: false)
      var size: CInt = 4096
      setsockopt(device.socket.descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
      // More than the gateway's own buffer of the kernel takes (4 MiB, tcp_wmem of tcp(7)).
      for _ in 0..<80 { gateway.scheduler.tell(id, large) }
      try await eventually("the connection is closed") {
        try await gateway.logins.call(Logins.Describe.self, OnlyTrace()).connections == 0
      }
      device.socket.close()
    }
  }

  @Test("at the end everyone is told to connect again")
  func shutdown() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("a")
      let stranger = try await gateway.connect()
      await gateway.shutDown()
      #expect(try await device.closeCode() == 1001)
      #expect(try await stranger.closeCode() == 1001)
    }
  }

  @Test("at the end nobody waits for those who have not said what they want")
  func shutdownBeforeUpgrade() async throws {
    var limits = DoorLimits()
    limits.headTime = .hours(1)
    try await TestGateway.run(limits: limits, withScheduler: false) { gateway in
      let silent = try RawSocket.connect(port: gateway.port)
      // Accepted after the other.
      let upgraded = try await gateway.connect()
      await gateway.shutDown()
      #expect(try await silent.receiveAll().isEmpty)
      #expect(try await upgraded.closeCode() == 1001)
    }
  }
}
