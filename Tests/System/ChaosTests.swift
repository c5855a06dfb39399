import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  @Suite("Everything goes at any moment") struct ChaosTests {
    private static let devices = 50
    /// How long services are taken away. The pauses are what is tested, so they are of time and not of events.
    private static let duration = Duration.seconds(12)

    @Test("fifty devices enrol, and get their certificates: no connection refused, no challenge unanswered, no certificate ordered twice")
    func everything() async throws {
      let seed = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } ?? .random(in: 1 ... .max)
      print("chaos: seed \(seed) (to repeat it: SEED=\(seed))")
      try await Bed.with { bed in
        try await bed.writeFirstSecrets()
        try await bed.withPebble { pebble in
          try await bed.use(pebble)
          async let fleet = bed.enrolFleet(of: Self.devices)
          let deaths = Deaths()
          let hits = try await bed.hammer(seconds: 14, isLive: true) { try await deaths.bring(to: bed, seed: seed, for: Self.duration) }
          try await bed.eventually("not all have their certificate", within: .seconds(60)) {
            // What a death has failed is tried again at once, not after its pause.
            try await bed.run("acme-connector", "renew")
            return try await bed.certificates().count { $0.state == "installed" } == Self.devices
          }
          let enrolled = try await fleet
          let (killed, restarted) = await (deaths.killed, deaths.restarted)
          print("chaos: \(hits), \(killed) killed, \(restarted) restarted, \(enrolled.connections) connections of \(enrolled.ready) devices")
          #expect(killed.values.reduce(0, +) + restarted.values.reduce(0, +) >= 10)

          #expect(hits.answered > 100 && hits.wrong == 0 && hits.refused == 0, "\(hits)")
          // A kill takes along what it has accepted, of each of the hammer's threads one connection at most.
          #expect(hits.broken <= 4 * killed[.challengeHTTP, default: 0], "\(hits)")
          #expect(enrolled.ready == Self.devices && enrolled.failures.isEmpty, "\(enrolled)")
          try await expectOrders(in: bed, at: pebble, deaths: killed)
        }
      }
    }

    /// One certificate for each request. Orders beyond one for each are those that the connector has counted itself, and has a reason for: a kill of
    /// acme-client while newOrder was under way, or one of challenge-http while the CA was looking.
    private func expectOrders(in bed: Bed, at pebble: InnerPebble, deaths: [Unit: Int]) async throws {
      let certificates = try await bed.certificates()
      let orders = try await bed.count(of: "Added order ", in: pebble)
      let repeated = try await bed.journal("EVENT=orderRepeated").count
      let failed = try await bed.journal("EVENT=orderFailed").count
      print("chaos: \(orders) orders, \(repeated) of them made anew for the answer was lost, \(failed) attempts failed")
      #expect(certificates.count == Self.devices)
      #expect(try await bed.count(of: "Issued certificate serial", in: pebble) == Self.devices)
      #expect(orders <= certificates.reduce(0) { $0 + $1.newOrders })
      #expect(orders <= Self.devices + repeated + failed)
      if deaths[.acmeClient] == nil { #expect(repeated == 0) }
      if deaths[.challengeHTTP] == nil { #expect(failed == 0) }
    }
  }
}

/// Takes services away, one after the other, and counts.
private actor Deaths {
  private(set) var killed: [Unit: Int] = [:]
  private(set) var restarted: [Unit: Int] = [:]

  func bring(to bed: Bed, seed: UInt64, for duration: Duration) async throws {
    var dice = Dice(seed)
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(Int.random(in: 100...500, using: &dice)))
      let unit = Unit.allCases[Int.random(in: 0..<4, using: &dice)]
      if Bool.random(using: &dice) {
        try await bed.run("systemctl", "restart", unit.service)
        restarted[unit, default: 0] += 1
      } else if try await bed.outcome("systemctl", ["kill", "--signal=KILL", unit.service]).succeeded {
        killed[unit, default: 0] += 1
      }
    }
  }
}

/// Random numbers that are the same for the same seed (Marsaglia's xorshift).
private struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = max(1, seed) }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}

extension Bed {
  /// What became of devices that a foreign program played.
  fileprivate struct Fleet: Decodable, Sendable {
    var ready: Int
    var failures: [String]
    /// How often they connected.
    var connections: Int
  }

  fileprivate func enrolFleet(of devices: Int) async throws -> Fleet {
    let program = [Project.foreign("fleet.py"), "ws://127.0.0.1:8080/connector", Self.deviceSecret, "--devices", "\(devices)", "--through-restarts"]
    let outcome = try await outcome(Project.foreignPython, program, limit: .seconds(130))
    guard outcome.succeeded else { throw Failure("the fleet failed: \(outcome.complaints)") }
    return try JSONDecoder().decode(Fleet.self, from: Data(outcome.output.utf8))
  }
}
