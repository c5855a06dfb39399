import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  @Suite("The machine loses its power in the middle of an order") struct RebootTests {
    private static let folder = "/var/lib/acme-connector/device"
    private static let names = ["pbx.system.example"]

    @Test(
      "back again, it goes on without a device calling, and the device that calls then has its certificate by one order",
      arguments: ["acme-client.orderStored", "acme-client.published", "acme-client.finalized", "acme-client.chainStored", "scheduler.chainStored"])
    func rebooted(at step: String) async throws {
      try await Site.with { site in
        try await site.withPebble { pebble in
          try await Bed.with(at: site) { bed in
            try await bed.writeFirstSecrets()
            try await bed.use(pebble)
            let mark = site.state.appending(path: try await bed.stop(at: step))
            let enrolment = Task { try await bed.enroll(Self.names, in: Self.folder, options: ["--hardware-id", "one"]) }
            try await bed.eventually("\(step) was not reached") { FileManager.default.fileExists(atPath: mark.path) }
            bed.pullThePlug()
            let end = await enrolment.result
            #expect(throws: Failure.self) { try end.get() }
          }
          try await Bed.with(at: site) { bed in
            try await bed.writeFirstSecrets()
            try await bed.eventually("the order did not go on", within: .seconds(60)) { try await bed.certificates().map(\.state) == ["ready"] }
            try await bed.enroll(Self.names, in: Self.folder, options: ["--hardware-id", "one"])
            try await bed.expectCertificate(for: Self.names, in: Self.folder, under: pebble.root)
            #expect(try await bed.certificates().map(\.state) == ["installed"])
            #expect(try await bed.count(of: "Added order ", in: pebble) == 1)
            #expect(try await bed.count(of: "Issued certificate serial", in: pebble) == 1)
          }
        }
      }
    }
  }
}

extension Bed {
  /// Has a service die at a step and stay dead, as long as this machine runs.
  /// - Returns: the mark that it leaves, below /var/lib/acme-connector.
  fileprivate func stop(at step: String) async throws -> String {
    let name = String(step.prefix { $0 != "." })
    guard let unit = Unit(rawValue: name) else { throw Failure("no service has the step \(step)") }
    let folder = "/var/lib/acme-connector/\(name)"
    let death = "Environment=ACME_CONNECTOR_DIE_AT=\(step) ACME_CONNECTOR_DIE_MARKERS=\(folder)"
    try await add("[Unit]\nConditionPathExists=!\(folder)/\(step)\n[Service]\n\(death)", to: unit.service)
    try await run("systemctl", "restart", unit.service)
    return "\(name)/\(step)"
  }
}
