import FoundationEssentials
import ModelAuthority
import PKI
import Programs
import SchedulerAPI
import Testing
import Varlink

/// Names that cannot be validated, each for a reason of its own, for real (`broken_names.py`), and a connector whose doctor looks there.
struct BrokenNames: Sendable {
  let connector: Connector
  /// Those that need nothing but a look.
  let all: [DNSName]
  /// Where challenges are answered.
  let port: Int
  let folder: URL

  /// The CA: how it is, and whether it is there.
  struct Authority: Sendable {
    /// How far its clock is ahead.
    var ahead = Duration.zero
    var isAway = false
  }

  /// Runs it beside `body`.
  /// - Parameter network: one of its own, which becomes that of a site behind a router.
  /// - Returns: what the CA saw.
  static func with(
    _ settings: [String: String] = [:], authority: Authority = Authority(), in network: Network? = nil,
    _ body: @escaping @Sendable (BrokenNames) async throws -> Void
  ) async throws -> Report {
    try await Testbed.withFolder { folder in
      let port = try Testbed.freePort()
      let arguments = [Project.foreign("broken_names.py"), folder.path, "\(port)", "0"] + (network == nil ? [] : ["--site"])
      let program = Command(Project.foreignPython, arguments)
      return try await (network?.inside(program) ?? program).whileRunning(log: folder.appending(path: "broken-names.log")) { facts in
        let environment = [
          "ACME_CONNECTOR_DOCTOR_RESOLVER": facts["dns"] ?? "", "ACME_CONNECTOR_DOCTOR_PRIVATE_ADDRESSES": "127.0.0.0/16,127.77.0.0/16,::1",
          "ACME_CONNECTOR_DOCTOR_HTTP_PORT": "\(port)", "ACME_CONNECTOR_DOCTOR_HTTPS_PORT": facts["https"] ?? "",
        ]
        let names = (facts["names"] ?? "").split(separator: ",").compactMap { DNSName(String($0)) }
        return try await Model.run(in: folder.appending(path: "model"), challengePort: port, ahead: authority.ahead, network: network) { model in
          let nowhere = "https://localhost:\(try Testbed.freePort())/directory"
          try await Connector.run(
            in: folder.appending(path: "state"), authority: (authority.isAway ? nowhere : model.directory, model.trust), challenges: port,
            environment: environment.merging(settings) { $1 }, network: network
          ) { connector in try await body(BrokenNames(connector: connector, all: names, port: port, folder: folder)) }
        }
      }
    }
  }

  /// The names of these setups.
  func called(_ labels: String...) throws -> [DNSName] { try labels.map { try #require(DNSName("\($0).doctor.example")) } }

  /// Has each name looked at for itself, all at once, which takes less than ten seconds each.
  /// - Returns: what was found; what there is to find is among it.
  func diagnose(_ names: [DNSName]) async throws -> [AdminMethods.Diagnose.Reply] {
    try await withThrowingTaskGroup(of: (reply: AdminMethods.Diagnose.Reply, time: Duration).self) { tasks in
      for name in names {
        tasks.addTask {
          let start = ContinuousClock.now
          let reply = try await connector.admin.stream(AdminMethods.Diagnose.self, .init(names: [name])) { _ in }
          return (reply, ContinuousClock.now - start)
        }
      }
      return try await tasks.reduce(into: []) { replies, each in
        #expect(each.reply.findings.contains { $0.code.lowercased() == each.reply.name.code }, "\(each.reply)")
        #expect(each.time < .seconds(10), "\(each.reply.name) took \(each.time)")
        replies.append(each.reply)
      }
    }
  }
}

extension DNSName {
  /// What there is to find: the first label up to a hyphen.
  var code: String { String(value.prefix { $0.isLetter || $0.isNumber }) }
}
