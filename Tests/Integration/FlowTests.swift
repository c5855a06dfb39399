import FoundationEssentials
import Glibc
import Programs
import SchedulerAPI
import Testing

extension Integration {
  /// Names resolve to an address of loopback where the connector's own listener is not: what the CA finds there, the device or the proxy has served.
  @Suite("Where the CA does not come to the connector") struct FlowTests {
    private static let elsewhere = "127.0.0.2"

    /// The names resolve elsewhere.
    private func lead(_ names: [String], past bed: Testbed) async throws {
      for name in names { try await bed.pebble.resolve(name, to: Self.elsewhere) }
    }

    private func enroll(_ device: Device, _ names: [String], options: [String], at bed: Testbed) async throws {
      let outcome = try await device.enroll(names, options: options)
      try #require(outcome.succeeded, "\(outcome.complaints)")
      try await #require(device.holdsCertificate(for: names, under: bed.pebble.root))
    }

    @Test("a device answers itself, for one name and for many", arguments: [1, 25])
    func device(count: Int) async throws {
      try await Testbed.with { bed in
        let names = Testbed.names(count)
        try await lead(names, past: bed)
        try await enroll(bed.device(), names, options: ["--http", "\(Self.elsewhere):\(bed.port)"], at: bed)
        try #require(bed.pebble.record() == .init(orders: 1, certificates: 1))
      }
    }

    @Test("a device answers itself while the gateway is killed again and again")
    func killedGateway() async throws {
      try await Testbed.with { bed in
        let names = Testbed.names(10)
        try await lead(names, past: bed)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          // At moments that nobody chose.
          tasks.addTask {
            for _ in 0..<3 {
              try await Task.sleep(for: .milliseconds(Int.random(in: 200...700)))
              if let process = bed.connector.process(of: "device-gateway") { kill(process, SIGKILL) }
            }
          }
          try await enroll(bed.device(), names, options: ["--http", "\(Self.elsewhere):\(bed.port)"], at: bed)
          try await tasks.waitForAll()
        }
        try #require(bed.pebble.record() == .init(orders: 1, certificates: 1))
      }
    }

    @Test("a device puts files into the folder of a web server, and takes them away again")
    func webroot() async throws {
      try await Testbed.with { bed in
        let names = Testbed.names(3)
        try await lead(names, past: bed)
        try await withCaddy(at: bed) { folder in
          try await enroll(bed.device(), names, options: ["--webroot", folder.path], at: bed)
          try #require(challenges(in: folder).isEmpty)
        }
      }
    }

    @Test("a reverse proxy written in Python looks up; what is unknown follows its own rules")
    func proxy() async throws {
      try await Testbed.with { bed in
        let names = Testbed.names(3)
        try await lead(names, past: bed)
        let program = [Project.foreign("reverse_proxy.py"), bed.connector.plain, bed.connector.credential("device"), Self.elsewhere, "\(bed.port)"]
        try await Command(Project.foreignPython, program + names).whileRunning(log: bed.folder.appending(path: "proxy.log")) { _ in
          try await enroll(bed.device(), names, options: [], at: bed)
          let unknown = try await Command("curl", ["--silent", "http://\(Self.elsewhere):\(bed.port)/.well-known/acme-challenge/unknown"]).run()
          try #require(unknown.output == "own rules")
        }
      }
    }

    @Test("acme-device as a reverse proxy looks up for itself and for the devices behind it; what is unknown is not found")
    func ownProxy() async throws {
      try await Testbed.with { bed in
        let names = Testbed.names(5)
        try await lead(names + ["proxy.integration.example"], past: bed)
        let proxy = bed.device("proxy")
        let options = ["--role", "reverse-proxy", "--http", "\(Self.elsewhere):\(bed.port)", "--hardware-id", "proxy"]
        try await proxy.staying(["proxy.integration.example"], options: options) {
          try await withThrowingTaskGroup(of: Void.self) { tasks in
            for (number, name) in names.enumerated() {
              tasks.addTask {
                try await enroll(bed.device("device\(number)"), [name], options: ["--hardware-id", "device\(number)"], at: bed)
              }
            }
            try await tasks.waitForAll()
          }
          let unknown = try await Command(
            "curl",
            ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
              + ["http://\(Self.elsewhere):\(bed.port)/.well-known/acme-challenge/unknown"]
          ).run()
          try #require(unknown.output == "404")
        }
      }
    }

    @Test("a name whose reverse proxy is away is waited for without an order, and ordered when the proxy comes")
    func absentProxy() async throws {
      try await Testbed.with { bed in
        let (names, own) = (Testbed.names(1), "proxy.integration.example")
        try await lead(names + [own], past: bed)
        let proxy = bed.device("proxy")
        let options = ["--role", "reverse-proxy", "--http", "\(Self.elsewhere):\(bed.port)", "--hardware-id", "proxy"]
        // It holds its own name and that of the device behind it.
        try await proxy.staying([own] + names, options: options) {}
        let orders = try bed.pebble.record().orders
        // Who has just gone may be back in a moment.
        try await Task.sleep(for: .seconds(11))
        let behind = Task { try await enroll(bed.device("behind"), names, options: ["--hardware-id", "behind"], at: bed) }
        defer { behind.cancel() }
        try await bed.connector.eventually("it does not wait") { try await bed.connector.certificates().contains { $0.state == .waitingForName } }
        let waiting = try await bed.connector.certificates().first { $0.state == .waitingForName }
        try #require(
          waiting?.text?.hasPrefix("Reverse proxy proxy, which answers for \(names[0]), is not connected") == true, "\(waiting?.text ?? "")")
        try #require(bed.pebble.record().orders == orders)
        try await proxy.staying([own] + names, options: options) { try await behind.value }
      }
    }

    @Test("a plug-in puts answers in place", arguments: ["webroot", "command"])
    func plugIn(name: String) async throws {
      try await Testbed.with { bed in
        let names = Testbed.names(3)
        try await lead(names, past: bed)
        try await withCaddy(at: bed) { folder in
          let socket = bed.connector.socket("responders/\(name).sock")
          let file = "\(folder.path)/.well-known/acme-challenge/$ACME_TOKEN"
          let publish = "mkdir -p \(folder.path)/.well-known/acme-challenge && printf %s \"$ACME_KEY_AUTHORIZATION\" > \(file)"
          let options = name == "webroot" ? ["--directory", folder.path] : ["--publish", publish, "--withdraw", "rm \(file)"]
          let program = Command(Project.foreignPython, [Project.plugIn(name), "--socket", socket] + options)
          try await program.running(when: "test -S \(socket)", log: bed.folder.appending(path: "plug-in.log")) {
            try await enroll(bed.device(), names, options: [], at: bed)
            try await gone(from: folder)
          }
        }
      }
    }

    @Test("a plug-in that says that an answer is in place, and is wrong, is named in the failure")
    func liar() async throws {
      try await Testbed.with { bed in
        let names = Testbed.names(1)
        try await lead(names, past: bed)
        try await withCaddy(at: bed) { _ in
          let socket = bed.connector.socket("responders/liar.sock")
          let program = Command(Project.foreignPython, [Project.plugIn("command"), "--socket", socket, "--publish", "true"])
          try await program.running(when: "test -S \(socket)", log: bed.folder.appending(path: "plug-in.log")) {
            let outcome = try await bed.device().enroll(names, limit: .seconds(20))
            try #require(!outcome.succeeded)
            try #require(outcome.complaints.contains("the answer was in place at challenge-http, liar, by their own word"), "\(outcome.complaints)")
          }
        }
      }
    }

    /// Debian's caddy, which serves the files of a folder where the names resolve to.
    private func withCaddy(at bed: Testbed, _ body: @Sendable (URL) async throws -> Void) async throws {
      let folder = bed.folder.appending(path: "www")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let address = "\(Self.elsewhere):\(bed.port)"
      let caddy = Command(
        "caddy", ["file-server", "--root", folder.path, "--listen", address],
        environment: ["HOME": bed.folder.path, "XDG_DATA_HOME": bed.folder.path])
      try await caddy.running(when: "curl --silent http://\(address)/", log: bed.folder.appending(path: "caddy.log")) { try await body(folder) }
    }

    private func challenges(in folder: URL) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: ".well-known/acme-challenge").path)
    }

    /// Answers are withdrawn while the certificate is on its way already.
    private func gone(from folder: URL) async throws {
      let deadline = ContinuousClock.now + .seconds(10)
      while try !challenges(in: folder).isEmpty {
        guard ContinuousClock.now < deadline else { throw Failure("answers were left in \(folder.path)") }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }
}
