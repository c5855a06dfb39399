import Programs
import Testing

extension Integration {
  @Suite("A device gets a certificate") struct CertificateTests {
    @Test("for 1, 3, 25 and 100 names", arguments: [1, 3, 25, 100])
    func names(count: Int) async throws {
      try await Testbed.with { bed in
        let device = bed.device()
        let names = Testbed.names(count)
        let outcome = try await device.enroll(names)
        try #require(outcome.succeeded, "\(outcome.complaints)")
        try await #require(device.holdsCertificate(for: names, under: bed.pebble.root))
        try #require(bed.pebble.record() == .init(orders: 1, certificates: 1))
      }
    }

    @Test("with each type of key", arguments: ["rsa2048", "rsa3072", "rsa4096", "p256", "p384"])
    func keys(type: String) async throws {
      try await Testbed.with { bed in
        let device = bed.device()
        let outcome = try await device.enroll(Testbed.names(1), options: ["--key-type", type])
        try #require(outcome.succeeded, "\(outcome.complaints)")
        try await #require(device.holdsCertificate(for: Testbed.names(1), under: bed.pebble.root))
      }
    }

    @Test("over TLS, knowing nothing of the gateway but the pin of its key")
    func pinned() async throws {
      try await Testbed.with { bed in
        let device = bed.device()
        let outcome = try await device.enrollPinned(Testbed.names(1))
        try #require(outcome.succeeded, "\(outcome.complaints)")
        try await #require(device.holdsCertificate(for: Testbed.names(1), under: bed.pebble.root))
      }
    }

    @Test("from a CA that refuses every fifth nonce, and takes valid authorizations again or not", arguments: [0, 50, 100])
    func nuisances(reuse: Int) async throws {
      try await Testbed.with(.init(refusedNonces: 20, reusedAuthorizations: reuse)) { bed in
        let device = bed.device()
        for count in [3, 5] {
          let outcome = try await device.enroll(Testbed.names(count))
          try #require(outcome.succeeded, "\(outcome.complaints)")
          try await #require(device.holdsCertificate(for: Testbed.names(count), under: bed.pebble.root))
        }
        try #require(bed.pebble.record().certificates == 2)
      }
    }

    @Test("from a CA that takes its time to validate")
    func sleeping() async throws {
      try await Testbed.with(.init(sleeps: true)) { bed in
        let device = bed.device()
        let outcome = try await device.enroll(Testbed.names(3))
        try #require(outcome.succeeded, "\(outcome.complaints)")
      }
    }

    @Test("from a CA with alternate roots")
    func alternates() async throws {
      try await Testbed.with(.init(alternateRoots: 2)) { bed in
        let device = bed.device()
        let outcome = try await device.enroll(Testbed.names(1))
        try #require(outcome.succeeded, "\(outcome.complaints)")
        try await #require(device.holdsCertificate(for: Testbed.names(1), under: bed.pebble.root))
      }
    }
  }
}
