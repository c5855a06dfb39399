import PKI
import Testing

@testable import ACMEClient

@Suite("The DNS, as the doctor asks it", .timeLimit(.minutes(1)))
struct ResolverTests {
  private static func address(_ name: String, _ last: UInt8) -> (name: String, type: UInt16, data: [UInt8]) { (name, 1, [192, 0, 2, last]) }

  private func lookUp(
    _ name: String, _ type: DNSMessage.RecordType = .address, in zone: [String: [UInt16: DNSServer.Reply]]
  ) async throws -> Resolver.Lookup {
    try await DNSServer.run(zone) { server in
      let resolver = try #require(Resolver("127.0.0.1:\(server.port)"))
      return await resolver.lookUp(type, of: name)
    }
  }

  @Test("addresses are found, over IPv4 and IPv6")
  func addresses() async throws {
    let zone: [String: [UInt16: DNSServer.Reply]] = [
      "a.test": [
        1: .records([Self.address("a.test", 1), Self.address("a.test", 2)]),
        28: .records([("a.test", 28, [0x20, 1] + [UInt8](repeating: 0, count: 14))]),
      ]
    ]
    #expect(try await lookUp("a.test", in: zone).addresses.map(\.description) == ["192.0.2.1", "192.0.2.2"])
    #expect(try await lookUp("a.test", .ipv6Address, in: zone).addresses.map(\.description) == ["2001::"])
  }

  @Test("aliases are followed, within an answer and beyond it, and end somewhere")
  func aliases() async throws {
    let zone: [String: [UInt16: DNSServer.Reply]] = [
      "a.test": [1: .records([DNSServer.alias("a.test", to: "b.test"), DNSServer.alias("b.test", to: "c.test")])],
      "c.test": [1: .records([Self.address("c.test", 3)])],
      "loop.test": [1: .records([DNSServer.alias("loop.test", to: "pool.test")])],
      "pool.test": [1: .records([DNSServer.alias("pool.test", to: "loop.test")])],
      "lost.test": [1: .records([DNSServer.alias("lost.test", to: "gone.test")])],
    ]
    let found = try await lookUp("a.test", in: zone)
    #expect(found.aliases == ["b.test", "c.test"] && found.addresses.map(\.description) == ["192.0.2.3"])
    #expect(try await lookUp("loop.test", in: zone).outcome == .aliasLoop)
    #expect(try await lookUp("lost.test", in: zone) == .init(aliases: ["gone.test"], outcome: .noName))
    let long = Dictionary(
      uniqueKeysWithValues: (0..<30).map {
        ("n\($0).test", [UInt16(1): DNSServer.Reply.records([DNSServer.alias("n\($0).test", to: "n\($0 + 1).test")])])
      })
    #expect(try await lookUp("n0.test", in: long).outcome == .aliasLoop)
  }

  @Test("no name, no record, a server that fails, one that refuses, and nonsense are told apart")
  func outcomes() async throws {
    let zone: [String: [UInt16: DNSServer.Reply]] = [
      "empty.test": [28: .records([])], "fails.test": [1: .code(2)], "refused.test": [1: .code(5)], "odd.test": [1: .raw([0x81, 0x80, 0, 1, 0, 9])],
      "pointer.test": [1: .raw([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 0xC0, 0x0C, 0, 1, 0, 1])],
    ]
    #expect(try await lookUp("none.test", in: zone).outcome == .noName)
    #expect(try await lookUp("empty.test", in: zone).outcome == .noData)
    #expect(try await lookUp("fails.test", in: zone).outcome == .failed(.serverFailure))
    #expect(try await lookUp("refused.test", in: zone).outcome == .failed(.refused))
    #expect(try await lookUp("odd.test", in: zone).outcome == .unreadable)
    #expect(try await lookUp("pointer.test", in: zone).outcome == .unreadable)
  }

  @Test("a server that refuses without repeating the question has refused, and has not said anything else")
  func refusalsWithoutQuestion() async throws {
    func bare(_ code: UInt8) -> DNSServer.Reply { .raw([0x81, 0x80 | code, 0, 0, 0, 0, 0, 0, 0, 0]) }
    let zone = ["a.test": [UInt16(1): bare(2)], "b.test": [1: bare(5)], "c.test": [1: bare(1)], "d.test": [1: bare(0)]]
    #expect(try await lookUp("a.test", in: zone).outcome == .failed(.serverFailure))
    #expect(try await lookUp("b.test", in: zone).outcome == .failed(.refused))
    #expect(try await lookUp("c.test", in: zone).outcome == .failed(.init(rawValue: 1)))
    #expect(try await lookUp("d.test", in: zone).outcome == .unreadable)
  }

  @Test("what others send meanwhile is passed over, whether it is no message, has another id, or is about something else")
  func spoofed() async throws {
    let noise: [DNSServer.Noise] = [.nonsense, .nonsenseWithID, .otherID, .otherName, .otherClass, .emptyDatagram]
    let zone = ["a.test": [UInt16(1): DNSServer.Reply.noisy(noise, [Self.address("a.test", 7)])]]
    #expect(try await lookUp("a.test", in: zone).addresses.map(\.description) == ["192.0.2.7"])
  }

  @Test("records of another class are none")
  func otherClass() async throws {
    let chaos: [UInt8] =
      [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + DNSServer.name("a.test") + [0, 1, 0, 1, 0xC0, 12, 0, 1, 0, 3, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]
    #expect(try await lookUp("a.test", in: ["a.test": [1: .raw(chaos)]]).outcome == .noData)
  }

  @Test("an alias of the root has no address")
  func rootAlias() async throws {
    let zone: [String: [UInt16: DNSServer.Reply]] = ["a.test": [1: .records([("a.test", 5, [0])])], "": [:]]
    #expect(try await lookUp("a.test", in: zone) == .init(aliases: [""], outcome: .noData))
  }

  @Test("questions come from many ports, with many ids")
  func unpredictable() async throws {
    try await DNSServer.run(["a.test": [1: .records([Self.address("a.test", 1)])]]) { server in
      let resolver = try #require(Resolver("127.0.0.1:\(server.port)"))
      for _ in 0..<64 { _ = await resolver.lookUp(.address, of: "a.test") }
      let asked = server.asked
      #expect(Set(asked.map(\.port)).count > 48 && Set(asked.map(\.id)).count > 48, "\(asked)")
    }
  }

  @Test("a server that is silent is asked again, and given up in less than four seconds")
  func silence() async throws {
    let time = try await ContinuousClock().measure {
      try await #expect(lookUp("quiet.test", in: ["quiet.test": [1: .silence]]).outcome == .silent)
    }
    #expect(time < .seconds(5))
  }

  @Test("nobody there is no silence")
  func nobody() async throws {
    // tcpmux, which nobody serves; a port that was free a moment ago may be somebody's by now.
    let resolver = try #require(Resolver("127.0.0.1:1"))
    #expect(await resolver.lookUp(.address, of: "a.test").outcome == .unreadable)
  }

  @Test("what does not fit into a datagram comes over TCP")
  func truncated() async throws {
    let records = (0..<200).map { DNSServer.authorization("a.test", "issue", "ca\($0).example") }
    let found = try await lookUp("a.test", .authorization, in: ["a.test": [257: .long(records)]])
    guard case .records(let contents) = found.outcome else { throw CancellationError() }
    #expect(contents.count == 200)
  }

  @Test("CAA is asked for from the name up to the top")
  func climb() async throws {
    let zone: [String: [UInt16: DNSServer.Reply]] = [
      "b.test": [257: .records([DNSServer.authorization("b.test", "issue", "ca.example")])], "test": [:],
    ]
    try await DNSServer.run(zone) { server in
      let resolver = try #require(Resolver("127.0.0.1:\(server.port)"))
      let found = await resolver.authorizations(for: CA.name("x.a.b.test"))
      #expect(found.map(\.domain.value) == ["x.a.b.test", "a.b.test", "b.test", "test"])
      #expect(found.map(\.lookup.outcome)[0] == .noName && found.map(\.lookup.outcome)[3] == .noData)
      #expect(found[2].lookup.outcome == .records([.authorization(CAARecord(flags: 0, tag: "issue", value: "ca.example"))]))
    }
  }

  @Test("a server is an address, perhaps with a port", arguments: ["192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:53"])
  func servers(text: String) { #expect(Resolver(text)?.servers.count == 1) }

  @Test("anything else is none", arguments: ["", "dns.example", "192.0.2.1:0", "192.0.2.1:99999", "[::1"])
  func noServers(text: String) { #expect(Resolver(text)?.servers == nil) }
}
