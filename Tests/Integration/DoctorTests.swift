import FoundationEssentials
import ModelAuthority
import PKI
import Programs
import SchedulerAPI
import Testing
import Varlink

extension Integration {
  /// Every broken set-up is there for real: DNS, web servers, TLS. The CA is only read.
  @Suite("A doctor, and names that cannot be validated") struct DoctorTests {
    @Test("each of many broken set-ups is found, in less than ten seconds, under its code, and nothing is asked of the CA")
    func broken() async throws {
      let report = try await Self.with { connector, names, _ in
        try #require(names.count >= 45)
        let clock = ContinuousClock()
        try await withThrowingTaskGroup(of: (reply: AdminMethods.Diagnose.Reply, time: Duration).self) { tasks in
          for name in names {
            tasks.addTask {
              let start = clock.now
              let reply = try await connector.admin.stream(AdminMethods.Diagnose.self, .init(names: [name])) { _ in }
              return (reply, clock.now - start)
            }
          }
          for try await (reply, time) in tasks {
            let expected = reply.name.value.prefix { $0.isLetter || $0.isNumber }
            let codes = reply.findings.map(\.code)
            #expect(codes.contains { $0.lowercased() == expected }, "\(reply.name): \(reply.findings.map(\.text))")
            #expect(time < .seconds(10), "\(reply.name) took \(time)")
            let isRight = expected == "answered"
            #expect(reply.findings.allSatisfy { isRight ? $0.severity == .fine : $0.code != "answered" || codes.count > 1 }, "\(reply.findings)")
          }
        }
      }
      try #require(report.deviations == [])
      try #require(report[.newOrder] == 0 && report[.newAccount] == 0)
    }

    @Test("a person reads one sentence for each finding, a program JSON, and the exit code says whether something is wrong")
    func command() async throws {
      _ = try await Self.with { connector, _, _ in
        let right = try await connector.administer("doctor", "answered.doctor.example")
        try #require(right.succeeded && right.output.contains("fine  answered  127.0.0.1 answers for answered.doctor.example as it should."))
        let wrong = try await connector.administer("doctor", "wrongserver.doctor.example", "answered.doctor.example")
        try #require(!wrong.succeeded)
        try #require(
          wrong.output.contains(
            "wrong  wrongServer  At 127.77.0.6 of wrongserver.doctor.example a web server that calls itself “nginx/1.27.0” (status 404)"))
        let json = try await connector.administer("doctor", "portclosed.doctor.example", "--json")
        let reply = try JSONDecoder().decode(AdminMethods.Diagnose.Reply.self, from: Data(json.output.utf8))
        try #require(reply.findings.map(\.code) == ["portClosed"] && reply.findings.first?.address == "127.77.0.2")
      }
    }

    @Test("a first order waits while something is wrong, costs nothing, and is made when it is right")
    func blocks() async throws {
      let report = try await Self.with(["ACME_CONNECTOR_DOCTOR_MODE": "block"]) { connector, _, folder in
        let stuck = Device(folder: folder.appending(path: "stuck"), connector: connector)
        try await #require(!stuck.enroll(["portclosed.doctor.example"], options: ["--hardware-id", "stuck"], limit: .seconds(8)).succeeded)
        let waiting = try await connector.certificates()
        try #require(waiting.map(\.state) == [.waitingForName] && waiting.first?.text?.contains("refuses connections") == true)
        let served = Device(folder: folder.appending(path: "served"), connector: connector)
        let outcome = try await served.enroll(["answered.doctor.example"], options: ["--hardware-id", "served"])
        try #require(outcome.succeeded, "\(outcome.complaints)")
      }
      try #require(report.ordersMade == 1)
    }

    /// The set-ups, and a connector whose doctor looks there.
    private static func with(
      _ settings: [String: String] = [:], _ body: @escaping @Sendable (Connector, [DNSName], URL) async throws -> Void
    ) async throws -> Report {
      try await Testbed.withFolder { folder in
        let port = try Testbed.freePort()
        let program = Command(Project.foreignPython, [Project.foreign("broken_names.py"), folder.path, "\(port)"])
        return try await program.whileRunning(log: folder.appending(path: "broken-names.log")) { facts in
          let environment = [
            "ACME_CONNECTOR_DOCTOR_RESOLVER": facts["dns"] ?? "", "ACME_CONNECTOR_DOCTOR_PRIVATE_ADDRESSES": "127.0.0.0/16,127.77.0.0/16,::1",
            "ACME_CONNECTOR_DOCTOR_HTTP_PORT": "\(port)", "ACME_CONNECTOR_DOCTOR_HTTPS_PORT": facts["https"] ?? "",
          ]
          let names = (facts["names"] ?? "").split(separator: ",").compactMap { DNSName(String($0)) }
          return try await Model.run(in: folder.appending(path: "model"), challengePort: port, faults: []) { authority in
            try await Connector.run(
              in: folder.appending(path: "state"), authority: authority, challenges: port, environment: environment.merging(settings) { $1 }
            ) { connector in try await body(connector, names, folder) }
          }
        }
      }
    }
  }
}
