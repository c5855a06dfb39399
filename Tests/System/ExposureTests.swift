import Programs
import Testing

extension SystemTests {
  @Suite("What systemd says of the units") struct ExposureTests {
    @Test("it finds no fault in them")
    func verified() async throws {
      try await Bed.with { bed in
        let verify = "cd /usr/lib/systemd/system && systemd-analyze verify acme-connector*.service acme-connector*.socket acme-connector.target"
        let outcome = try await bed.outcome("sh", ["-c", "\(verify) acme-connector.slice"])
        #expect(outcome.succeeded)
        #expect(outcome.complaints + outcome.output == "")
      }
    }

    @Test("they are hardly exposed: 0.5 at most, and 1.2 for acme-client, which may connect out")
    func exposure() async throws {
      try await Bed.with { bed in
        for unit in Unit.allCases {
          let tenths = unit == .acmeClient ? 12 : 5
          let outcome = try await bed.outcome("systemd-analyze", ["security", "--no-pager", "--threshold=\(tenths)", unit.service])
          #expect(outcome.succeeded, "\(outcome.output)")
          print(outcome.output.split(separator: "\n").last.map(String.init) ?? "no exposure")
        }
      }
    }
  }
}
