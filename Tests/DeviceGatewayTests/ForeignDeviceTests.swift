import DeviceGatewayAPI
import ForeignPython
import FoundationEssentials
import PKI
import SchedulerAPI
import Testing
import Varlink

@testable import DeviceGateway

@Suite("Against the PyPI package websockets", .timeLimit(.minutes(1)))
struct ForeignDeviceTests {
  @Test("logins with the fields of the official and captured vectors open the door, plain and encrypted")
  func logins() async throws {
    let vectors = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../AppWebsocketTests/Resources/appwebsocket.json")
    try await TestGateway.run { gateway in
      _ = try await gateway.logins.call(Logins.Add.self, .init(name: "go", scope: .instance, kind: .device, nameSuffixes: [], secret: "go"))
      let pin = try await gateway.logins.call(Logins.Describe.self, OnlyTrace()).pin.hex
      let said = try await ForeignPython.run(
        "device-login.py", gateway.url, "wss://127.0.0.1:\(gateway.securePort)/connector", pin, vectors.standardized.path())
      #expect(said == "all logins accepted\n")
    }
  }

  @Test("a certificate goes to a device that is written from the protocol page alone, in fragments and with a reconnect")
  func certificate() async throws {
    try await TestGateway.run { gateway in
      let id = FakeScheduler.id(.init(scope: "instance", sip: "009033460af2"))
      gateway.scheduler.with { $0.undelivered[id] = [.ready("waiting")] }
      let said = try await ForeignPython.run("device-certificate.py", gateway.url, TestGateway.deviceSecret)
      #expect(said == "request-1 waiting\n")
      #expect(gateway.scheduler.with { $0.receipts.map(\.request.rawValue) } == ["waiting"])
    }
  }
}
