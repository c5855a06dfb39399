import FoundationEssentials
import Programs
import Testing

extension Integration {
  @Suite("A second CA, of another code base: caddy", .enabled(if: Network.isWanted, "a network namespace needs root"))
  struct SecondAuthorityTests {
    @Test("gives certificates for 1, 3, 25 and 100 names")
    func names() async throws {
      let names = Testbed.names(100)
      try await Testbed.withFolder { folder in
        try await Network.with(names: names) { network in
          let caddy = network.inside(Command(Project.foreign("caddy-ca"), [folder.appending(path: "caddy").path]))
          try await caddy.whileRunning(log: folder.appending(path: "caddy.stderr")) { facts in
            let root = facts["root"] ?? ""
            try await Connector.run(
              in: folder.appending(path: "state"), authority: (facts["ready"] ?? "", root), challenges: 80, network: network
            ) { connector in
              for count in [1, 3, 25, 100] {
                var device = Device(folder: folder.appending(path: "device\(count)"), connector: connector)
                device.network = network
                let outcome = try await device.enroll(Array(names.prefix(count)))
                try #require(outcome.succeeded, "\(outcome.complaints)")
                try await #require(device.holdsCertificate(for: Array(names.prefix(count)), under: root))
              }
            }
          }
        }
      }
    }
  }
}
