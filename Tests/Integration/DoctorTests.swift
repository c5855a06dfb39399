import FoundationEssentials
import ModelAuthority
import PKI
import Programs
import SchedulerAPI
import Testing
import Varlink

extension Integration {
  /// Every broken setup is there for real: DNS, web servers, TLS, a router. The CA is only read.
  @Suite("A doctor, and names that cannot be validated") struct DoctorTests {
    @Test("each of many broken setups is found, in less than ten seconds, under its code, and nothing is asked of the CA")
    func broken() async throws {
      let report = try await BrokenNames.with { names in
        try #require(names.all.count >= 50)
        for reply in try await names.diagnose(names.all) {
          let isRight = reply.name.code == "answered"
          #expect(reply.findings.allSatisfy { isRight ? $0.severity == .fine : $0.code != "answered" || reply.findings.count > 1 }, "\(reply)")
        }
      }
      try #require(report.deviations == [])
      try #require(report[.newOrder] == 0 && report[.newAccount] == 0)
    }

    @Test(
      "what may only look wrong from behind a router that translates addresses, without a route, or beside a DNS server inside, is doubtful",
      .enabled(if: Network.isWanted, "network namespaces need root"))
    func site() async throws {
      try await Network.with(resolver: "127.0.0.1", called: "-site") { network in
        _ = try await BrokenNames.with(in: network) { names in
          let beyond = names.all.filter { ["nathairpin", "splithorizon", "unreachable"].contains($0.code) }
          try #require(beyond.count == 4)
          for reply in try await names.diagnose(beyond) { #expect(reply.findings.allSatisfy { $0.severity == .doubtful }, "\(reply)") }
        }
      }
    }

    @Test("a CA that is away, or has another time, is told beside what is found, and forbids nothing")
    func authority() async throws {
      _ = try await BrokenNames.with(authority: .init(ahead: .seconds(7_200))) { names in
        let found = try await names.diagnose(names.called("clockwrong")).first?.findings ?? []
        #expect(found.map(\.code) == ["clockWrong", "answered"] && found.allSatisfy { $0.severity != .wrong }, "\(found)")
      }
      _ = try await BrokenNames.with(authority: .init(isAway: true)) { names in
        let found = try await names.diagnose(names.called("authorityunread")).first?.findings ?? []
        #expect(Set(found.map(\.code)) == ["authorityUnread", "answered"] && found.allSatisfy { $0.severity != .wrong }, "\(found)")
      }
    }

    @Test("CAA for the connector's own account is right, and for another one wrong")
    func account() async throws {
      let report = try await BrokenNames.with { names in
        let shown = try await names.connector.administer("account", "--json")
        let account = try JSONDecoder().decode(AccountView.self, from: Data(shown.output.utf8))
        try Data(account.url.utf8).write(to: names.folder.appending(path: "account"))
        for reply in try await names.diagnose(names.called("answered-account", "caaforbids-account")) {
          #expect(reply.findings.first?.severity == (reply.name.code == "answered" ? .fine : .wrong), "\(reply)")
        }
      }
      try #require(report[.newOrder] == 0)
    }

    @Test("a reverse proxy that answers for a name that no device holds is told the probe, and missed when it is not connected")
    func proxy() async throws {
      let report = try await BrokenNames.with { names in
        let (pushed, missed) = (try names.called("answered-pushed"), try names.called("proxynotconnected"))
        let connector = names.connector
        let arguments = [Project.foreign("pushed_proxy.py"), connector.plain, connector.credential("device"), "127.77.0.7", "\(names.port)"]
        let program = Command(Project.foreignPython, arguments + (pushed + missed).map(\.value))
        try await program.whileRunning(log: names.folder.appending(path: "proxy.log")) { _ in
          let found = try await names.diagnose(pushed).first?.findings ?? []
          #expect(found.map(\.severity) == [.fine], "\(found)")
        }
        // Who has just left may be about to come back.
        try await connector.eventually("the reverse proxy is not missed") {
          let reply = try await connector.admin.stream(AdminMethods.Diagnose.self, .init(names: missed)) { _ in }
          return reply.findings.first?.code == "proxyNotConnected"
        }
      }
      try #require(report[.newOrder] == 0 && report[.newAccount] == 0)
    }

    @Test("a person reads one sentence for each finding, a program JSON, and the exit code says whether something is wrong")
    func command() async throws {
      _ = try await BrokenNames.with { names in
        let right = try await names.connector.administer("doctor", "answered.doctor.example")
        try #require(right.succeeded && right.output.contains("fine  answered  127.0.0.1 answers for answered.doctor.example as it should."))
        let wrong = try await names.connector.administer("doctor", "wrongserver.doctor.example", "answered.doctor.example")
        try #require(wrong.code == 2 && wrong.complaints == "Something is wrong with wrongserver.doctor.example.\n")
        try #require(
          wrong.output.contains(
            "wrong  wrongServer  At 127.77.0.6 of wrongserver.doctor.example a web server that calls itself “nginx/1.27.0” (status 404)"))
        let json = try await names.connector.administer("doctor", "portclosed.doctor.example", "--json")
        let reply = try JSONDecoder().decode(AdminMethods.Diagnose.Reply.self, from: Data(json.output.utf8))
        try #require(reply.findings.map(\.code) == ["portClosed"] && reply.findings.first?.address == "127.77.0.2")
        let typed = try await names.connector.administer("doctor", "münchen.de")
        try #require(typed.code == 64 && typed.complaints.contains("xn--"), "\(typed.complaints)")
      }
    }

    @Test("a first order waits while something is wrong, costs nothing, and is made when it is right")
    func blocks() async throws {
      let report = try await BrokenNames.with(["ACME_CONNECTOR_DOCTOR_MODE": "block"]) { names in
        let stuck = Device(folder: names.folder.appending(path: "stuck"), connector: names.connector)
        try await #require(!stuck.enroll(["portclosed.doctor.example"], options: ["--hardware-id", "stuck"], limit: .seconds(8)).succeeded)
        let waiting = try await names.connector.certificates()
        try #require(waiting.map(\.state) == [.waitingForName] && waiting.first?.text?.contains("refuses connections") == true)
        let served = Device(folder: names.folder.appending(path: "served"), connector: names.connector)
        let outcome = try await served.enroll(["answered.doctor.example"], options: ["--hardware-id", "served"])
        try #require(outcome.succeeded, "\(outcome.complaints)")
      }
      try #require(report.ordersMade == 1)
    }
  }
}
