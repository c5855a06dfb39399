import FoundationEssentials
import Glibc
import PKI
import Programs
import SchedulerAPI
import Testing
import Varlink

extension Integration {
  @Suite("Port 80 of hosts with addresses of their own", .enabled(if: Network.isPossible, "network namespaces need root"))
  struct SiteFlowTests {
    private static let names = ["four-pbx.site.example", "six-pbx.site.example", "pbx.site.example"]

    @Test("every way there leads to a certificate and to its renewal, over IPv4 and IPv6", arguments: Flow.allCases)
    func renewed(flow: Flow) async throws {
      try await site(for: flow) { site in
        try await flow.standing(in: site) { options in
          let device = site.device("device", on: .device)
          try await device.staying(Self.names, options: options + site.options("device")) {
            try await #require(device.holdsCertificate(for: Self.names, under: site.pebble.root))
            let renewed = try await site.connector.administer("renew", "--force", "--name", Self.names[0])
            try #require(renewed.succeeded, "\(renewed.complaints)")
            try await site.connector.eventually("it is not renewed") {
              try await site.connector.certificates().count { $0.names.contains { $0.value == Self.names[0] } && $0.serial != nil } == 2
            }
          }
        }
        try #require(site.pebble.record().certificates == 2 + flow.certificates)
      }
    }

    @Test("every way there survives that all services are killed in the middle", arguments: Flow.allCases)
    func killed(flow: Flow) async throws {
      try await site(for: flow) { site in
        try await flow.standing(in: site) { options in
          let options = try await options + site.options("device")
          try await withThrowingTaskGroup(of: Void.self) { tasks in
            // At moments that nobody chose.
            tasks.addTask {
              for service in ["challenge-http", "device-gateway", "acme-client", "scheduler"].shuffled() {
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...400)))
                if let process = site.connector.process(of: service) { kill(process, SIGKILL) }
              }
            }
            let device = site.device("device", on: .device)
            let outcome = try await device.enroll(Self.names, options: options, limit: .seconds(180))
            try #require(outcome.succeeded, "\(outcome.complaints)")
            try await #require(device.holdsCertificate(for: Self.names, under: site.pebble.root))
            try await tasks.waitForAll()
          }
        }
        try #require(site.pebble.record().certificates == 1 + flow.certificates)
      }
    }

    @Test("another ACME client behind the same reverse proxy gets its certificate in the same minute")
    func thirdParty() async throws {
      try await Site.with(["pbx.site.example": .proxy, "third.site.example": .proxy]) { site in
        try await Flow.forwarded.standing(in: site) { options in
          try await withThrowingTaskGroup(of: Command.Outcome.self) { tasks in
            tasks.addTask { try await site.device("device", on: .device).enroll(["pbx.site.example"], options: options + site.options("device")) }
            tasks.addTask {
              let folder = site.folder.appending(path: "certbot").path
              let folders = ["--config-dir", "--work-dir", "--logs-dir"].flatMap { [$0, folder] }
              let certbot = try site.on(
                .connector, "certbot",
                ["certonly", "--non-interactive", "--agree-tos", "--register-unsafely-without-email", "--server", site.pebble.directory]
                  + ["--webroot", "--webroot-path", Flow.files(of: site).path, "--domain", "third.site.example"] + folders,
                environment: ["REQUESTS_CA_BUNDLE": site.pebble.trust])
              return try await certbot.run()
            }
            for try await outcome in tasks { try #require(outcome.succeeded, "\(outcome.complaints)") }
          }
        }
        try #require(site.pebble.record().certificates == 2)
      }
    }

    @Test("a reverse proxy with 20 names and 20 devices behind it: all are served, in whatever order they ask")
    func crowd() async throws {
      let names = (1...20).map { "host\($0).site.example" }
      try await Site.with(Dictionary(uniqueKeysWithValues: names.map { ($0, Site.Host.proxy) })) { site in
        let proxy = site.device("proxy", on: .proxy)
        let options = try await ["--role", "reverse-proxy", "--http", "[::]:80"] + site.options("proxy")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          // Its own certificate has all the names, and is asked for amid those of the devices.
          tasks.addTask { try await proxy.staying(names, options: options) { try await holdOut(site) } }
          try await site.connector.eventually("the proxy is not there") {
            try await site.connector.admin.list(AdminMethods.ListDevices.self, .init()).devices.contains { $0.roles == ["reverseProxy"] }
          }
          for name in names.shuffled() {
            tasks.addTask {
              let device = site.device(name, on: .device)
              let outcome = try await device.enroll([name], options: site.options(name))
              try #require(outcome.succeeded, "\(name): \(outcome.complaints)")
              try await #require(device.holdsCertificate(for: [name], under: site.pebble.root))
            }
          }
          try await tasks.waitForAll()
        }
        try await #require(proxy.holdsCertificate(for: names, under: site.pebble.root))
        try #require(site.pebble.record().certificates == 21)
      }
    }

    /// Until every device has its certificate.
    private func holdOut(_ site: Site) async throws {
      try await site.connector.eventually("not all are installed") { try await site.connector.certificates().count { $0.state == .installed } == 21 }
    }

    private func site(for flow: Flow, _ body: @Sendable (Site) async throws -> Void) async throws {
      let names = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, flow.host) })
      try await Site.with(names.merging(["connector.site.example": .connector, "proxy.site.example": .proxy]) { $1 }, body)
    }
  }
}

/// The ways to port 80 of a name.
enum Flow: String, CaseIterable, CustomTestStringConvertible, Sendable {
  case direct = "the name is the connector's"
  case forwarded = "a reverse proxy forwards"
  case lookedUp = "a reverse proxy looks up"
  case own = "the device answers itself"
  case redirected = "a web server redirects"

  var testDescription: String { rawValue }

  /// Where the device's names lead.
  var host: Site.Host {
    switch self {
    case .direct: .connector
    case .forwarded, .lookedUp, .redirected: .proxy
    case .own: .device
    }
  }

  /// How many certificates others than the device have.
  var certificates: Int { self == .lookedUp ? 1 : 0 }

  /// The files of the web server.
  static func files(of site: Site) -> URL { site.folder.appending(path: "www") }

  /// Has whoever stands at port 80 there beside `body`, which is given what the device's command line has to say.
  func standing(in site: Site, _ body: @Sendable ([String]) async throws -> Void) async throws {
    switch self {
    case .direct: try await body([])
    case .own: try await body(["--http", "[::]:80"])
    case .lookedUp:
      let options = try await ["--role", "reverse-proxy", "--http", "[::]:80"] + site.options("proxy")
      try await site.device("proxy", on: .proxy).staying(["proxy.site.example"], options: options) { try await body([]) }
    case .forwarded:
      let fallback = "root \(Self.files(of: site).path); try_files $uri @connector;"
      try await nginx(
        "location /.well-known/acme-challenge/ { \(fallback) } location @connector { proxy_pass http://\(Site.Host.connector.four); }", in: site
      ) { try await body([]) }
    case .redirected:
      try await nginx("return 301 http://connector.site.example$request_uri;", in: site) { try await body([]) }
    }
  }

  private func nginx(_ rules: String, in site: Site, _ body: @Sendable () async throws -> Void) async throws {
    let folder = site.folder
    try FileManager.default.createDirectory(at: Self.files(of: site), withIntermediateDirectories: true)
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder.path)/\($0);" }.joined(separator: " ")
    // nginx of one process, root's, for the folder is this user's alone.
    let text = """
      daemon off; master_process off; pid \(folder.path)/nginx.pid; error_log stderr; events {}
      http { access_log off; \(paths) server { listen 80; listen [::]:80; \(rules) } }

      """
    let file = folder.appending(path: "nginx.conf")
    try Data(text.utf8).write(to: file)
    let listens = "ip netns exec \(try #require(site.networks[.proxy]).name) ss -Hltn 'sport = :80' | grep -q ."
    try await site.on(.proxy, "nginx", ["-c", file.path, "-e", "stderr"]).running(when: listens, log: folder.appending(path: "nginx.log"), body)
  }
}
