import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("What a device is known by")
struct DeviceKeyTests {
  @Test("the first of hardware id, sip and guid")
  func first() throws {
    #expect(try DeviceKey(DeviceIdentity(scope: "instance", hardwareID: "h", sip: "s", guid: "g")).value == "h")
    #expect(try DeviceKey(DeviceIdentity(scope: "instance", hardwareID: "", sip: "s", guid: "g")).value == "s")
    #expect(try DeviceKey(DeviceIdentity(scope: "instance", guid: "g")).value == "g")
  }

  @Test("the login alone, where it is for one device")
  func login() throws {
    let one = try DeviceKey(DeviceIdentity(scope: "device:lobby", hardwareID: "old"))
    #expect(try one == DeviceKey(DeviceIdentity(scope: "device:lobby", hardwareID: "new")))
  }

  @Test("the same id in two scopes is two devices")
  func scopes() throws {
    #expect(try DeviceKey(DeviceIdentity(scope: "domain:a", sip: "1")) != DeviceKey(DeviceIdentity(scope: "domain:b", sip: "1")))
  }

  @Test("a device without any id, with an endless one, or in the administrators' scope is refused")
  func refused() {
    #expect(throws: Refusal.self) { try DeviceKey(DeviceIdentity(scope: "instance")) }
    #expect(throws: Refusal.self) { try DeviceKey(DeviceIdentity(scope: "instance", sip: String(repeating: "x", count: 300))) }
    for odd in ["a\u{0}b", "a\u{85}b", "a\u{202E}b", "a\u{200B}b", "a\u{2028}b", "a" + String(repeating: "\u{301}", count: 300)] {
      #expect(throws: Refusal.self) { try DeviceKey(DeviceIdentity(scope: "instance", sip: odd)) }
    }
    #expect(throws: Refusal.self) { try DeviceKey(DeviceIdentity(scope: "administrator", sip: "x")) }
  }
}

@Suite("Names")
struct NameTests {
  @Test("outside the login's suffixes are refused, the suffix itself is not")
  func suffixes() {
    let policy = NamePolicy(suffixes: [dns("example.net")])
    #expect(throws: Never.self) { try policy.check([dns("a.example.net"), dns("example.net")]) }
    #expect { try policy.check([dns("a.badexample.net")]) } throws: { ($0 as? Refusal)?.word == .nameNotAllowed }
  }

  @Test("that are not public are refused where the authority is")
  func publicNames() {
    #expect { try NamePolicy(isAuthorityPublic: true).check([dns("host.local")]) } throws: { ($0 as? Refusal)?.word == .nonPublicName }
    #expect(throws: Never.self) { try NamePolicy().check([dns("host.local")]) }
  }

  @Test("more than are allowed are refused")
  func tooMany() {
    #expect { try NamePolicy(maximumNames: 1).check([dns("a.example.net"), dns("b.example.net")]) } throws: {
      ($0 as? Refusal)?.word == .tooManyNames
    }
  }
}
