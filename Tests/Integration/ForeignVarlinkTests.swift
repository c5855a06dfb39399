import FoundationEssentials
import Programs
import Testing

extension Integration {
  @Suite("A Varlink client that knows nothing of us") struct ForeignVarlinkTests {
    /// A socket, and a method to call there.
    struct Case: Sendable, CustomTestStringConvertible {
      var socket: String
      var interface: String
      var method: String
      var parameters = "{}"
      var isStream = false

      var testDescription: String { "\(interface).\(method) at \(socket)" }
    }

    static let cases: [Case] = [
      Case(socket: "scheduler.sock", interface: "org.acmeconnector.Scheduler", method: "Register", parameters: registration),
      Case(socket: "admin.sock", interface: "org.acmeconnector.Admin", method: "Status"),
      Case(socket: "admin.sock", interface: "org.acmeconnector.Admin", method: "ListEvents", parameters: #"{"limit":10}"#, isStream: true),
      Case(socket: "admin.sock", interface: "org.acmeconnector.Admin", method: "ListDevices"),
      Case(socket: "admin.sock", interface: "org.acmeconnector.Admin", method: "ListDevices", isStream: true),
      Case(socket: "acme-client.sock", interface: "org.acmeconnector.ACMEClient", method: "ListOrders"),
      Case(socket: "challenge-http.sock", interface: "org.acmeconnector.Challenges", method: "Lookup", parameters: #"{"token":"unknown"}"#),
      Case(socket: "responders/challenge-http.sock", interface: "org.acmeconnector.Responder", method: "Withdraw", parameters: withdrawal),
      Case(socket: "responders/device-gateway.sock", interface: "org.acmeconnector.Responder", method: "Withdraw", parameters: withdrawal),
      Case(socket: "logins.sock", interface: "org.acmeconnector.Logins", method: "List"),
      Case(socket: "admin.sock", interface: "org.acmeconnector.Metrics", method: "Read"),
    ]

    @Test("finds on each socket what its callers need, and on the administrators' the metrics")
    func roles() async throws {
      let served = [
        "scheduler.sock": ["Scheduler"], "admin.sock": ["Admin", "Metrics"], "acme-client.sock": ["ACMEClient", "Metrics"],
        "challenge-http.sock": ["Challenges", "Metrics"], "logins.sock": ["Logins", "Metrics"], "responders/challenge-http.sock": ["Responder"],
        "responders/device-gateway.sock": ["Responder"],
      ]
      try await Testbed.with { bed in
        for (socket, interfaces) in served {
          let call = [bed.connector.socket(socket), "org.varlink.service", "GetInfo"]
          let outcome = try await Command(Project.foreignPython, [Project.foreign("every_method.py")] + call).run()
          try #require(outcome.succeeded, "\(outcome.complaints)")
          let seen = try JSONDecoder().decode(Seen.self, from: Data(outcome.output.utf8))
          try #require(seen.interfaces == ["org.varlink.service"] + interfaces.map { "org.acmeconnector.\($0)" })
        }
      }
    }

    private static let registration = #"{"identity":{"scope":"instance","hardwareID":"foreign"}}"#
    private static let withdrawal = #"{"order":"none","token":"none"}"#

    private struct Seen: Decodable {
      var product: String
      var interfaces: [String]
      var described: [Int]
      var error: String
    }

    @Test("is told what each service is, calls it, and gets errors by name", arguments: cases)
    func foreign(_ subject: Case) async throws {
      try await Testbed.with { bed in
        let program = Project.foreign("every_method.py")
        let call = [bed.connector.socket(subject.socket), subject.interface, subject.method, subject.parameters]
        let outcome = try await Command(Project.foreignPython, [program] + call + (subject.isStream ? ["--more"] : [])).run()
        try #require(outcome.succeeded, "\(outcome.complaints)")
        let seen = try JSONDecoder().decode(Seen.self, from: Data(outcome.output.utf8))
        try #require(seen.interfaces.contains(subject.interface))
        try #require(seen.described.allSatisfy { $0 > 0 })
        try #require(seen.error == "org.varlink.service.InterfaceNotFound")
      }
    }
  }
}
