import FoundationEssentials
import PKI
import Programs
import ResponderAPI
import Testing
import Varlink

extension Integration {
  @Suite("Scanners at port 80", .enabled(if: Network.isWanted, "network namespaces need root")) struct ScannerTests {
    private static let name = "pbx.site.example"

    @Test("a flood of paths, slow senders and half-open connections delays 19 of 20 validations by less than 100 ms, and is a line a minute")
    func noise() async throws {
      try await Site.with([Self.name: .connector]) { site in
        let start = ContinuousClock.now
        let quiet = try await validations(at: site)
        let service = try Process(#require(site.connector.process(of: "challenge-http")))
        let before = try service.memory
        // They take what the machine has to spare, so that the delay is theirs, and not that of whatever else runs on it.
        let scanners = ["-n", "19", "python3", Project.foreign("scanners.py"), Site.Host.connector.four]
        try await site.on(.device, "nice", scanners).whileRunning(log: site.folder.appending(path: "scanners.log")) { _ in
          // What the scanners cost is there each time; what else the machine does meanwhile is not, and takes longer now and then.
          var noisy = try await validations(at: site)
          for _ in 1..<Self.rounds where noisy.most - quiet.median >= Self.mostDelay { noisy = try await validations(at: site) }
          let (connections, memory) = try (service.descriptors, service.memory)
          let enrolled = try await site.device("device", on: .device).enroll([Self.name])
          try #require(enrolled.succeeded, "\(enrolled.complaints)")

          let lines = try site.connector.log().split(separator: "\n").filter { $0.contains(" challenge-http: ") }
          let strays = lines.filter { !$0.contains("challenge answered") }
          print("scanners: a validation took \(quiet) without them, \(noisy) with them")
          print("scanners: \(connections) descriptors, \(before) kB of memory before, \(memory) kB with them; \(lines.count) lines: \(strays)")
          try #require(noisy.most - quiet.median < Self.mostDelay)
          try #require(connections < Self.mostConnections && memory < Self.mostMemory)
          try #require(strays.count <= 1 + Int((ContinuousClock.now - start).components.seconds / 60))
        }
      }
    }

    /// In milliseconds.
    private static let mostDelay = 100.0
    private static let rounds = 3
    /// What challenge-http lets in, with some descriptors of its own.
    private static let mostConnections = 4096 + 50
    /// In kB.
    private static let mostMemory = 100_000

    /// Has an answer published, and asks for it again and again from the CA's host.
    private func validations(at site: Site) async throws -> Validations {
      let token = try #require(ChallengeToken("token"))
      let answer = KeyAuthorization(token: token, thumbprint: "thumbprint")
      _ = try await VarlinkClient(path: site.connector.socket("responders/challenge-http.sock")).call(
        Responder.Publish.self,
        .init(
          order: "order", name: try #require(DNSName(Self.name)), token: token, keyAuthorization: answer, device: nil,
          expires: WallClock.system.now() + .seconds(300)))
      let arguments = [Project.foreign("validations.py"), Site.Host.connector.four, token.value, answer.value, "300"]
      let outcome = try await site.on(.authority, "python3", arguments).run()
      guard outcome.succeeded else { throw Failure("the answer was not found: \(outcome.complaints)") }
      return try JSONDecoder().decode(Validations.self, from: Data(outcome.output.utf8))
    }
  }
}

/// How many milliseconds validations took: half of them, 19 of 20, and all of them no longer than that.
private struct Validations: Decodable, CustomStringConvertible {
  var median: Double
  var most: Double
  var worst: Double

  var description: String { "\(Int(median.rounded())) ms (19 of 20 at most \(Int(most.rounded())) ms, the longest \(Int(worst.rounded())) ms)" }
}

/// A process as proc(5) shows it.
private struct Process {
  let folder: String

  init(_ id: Int32) {
    folder = "/proc/\(id)"
  }

  /// How many files and connections it has open.
  var descriptors: Int {
    get throws { try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd").count }
  }

  /// Its resident memory in kB.
  var memory: Int {
    get throws {
      let status = try String(contentsOfFile: "\(folder)/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
      return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1]))
    }
  }
}
