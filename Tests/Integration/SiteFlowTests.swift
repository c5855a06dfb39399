import FoundationEssentials
import Programs
import SchedulerAPI
import Testing
import Varlink

extension Integration {
  @Suite("Port 80 of hosts with addresses of their own", .enabled(if: Network.isWanted, "network namespaces need root"))
  struct SiteFlowTests {
    private static let asProxy = ["--role", "reverse-proxy", "--http", "[::]:80"]

    @Test("every way there leads to a certificate and to its renewal, all at once, over IPv4 and IPv6; so it does for certbot behind each web server")
    func renewed() async throws {
      try await site { site in
        try await withThrowingTaskGroup { tasks in
          for flow in Flow.all { tasks.addTask { try await renew(flow, at: site) } }
          for server in WebServer.allCases { tasks.addTask { try await certbot(behind: server, at: site) } }
          try await tasks.waitForAll()
        }
        // The reverse proxy has one, too.
        try #require(site.pebble.record().certificates == 2 * Flow.all.count + 2 * WebServer.allCases.count + 1)
        // Each is known by its own address, not by that of the web server in between.
        let devices = try await site.connector.admin.list(AdminMethods.ListDevices.self, .init()).devices
        for case .forwarded(let server) in Flow.all {
          let device = try #require(devices.first { $0.key.hasSuffix("\(Flow.forwarded(server))") })
          try #require(device.address == Site.Host.device.four, "\(server)")
        }
        // Who came to the reverse proxy has come.
        try #require(site.connector.log().contains("\(Site.Host.proxy.four), where "))
      }
    }

    @Test("every way there leads on while the services are killed again and again, to one certificate each and to one renewal each")
    func killed() async throws {
      let seed = Killer.seed
      print("kills between hosts: seed \(seed)")
      try await site(longestPause: 0.1) { site in
        try await withThrowingTaskGroup { tasks in
          for flow in Flow.all {
            tasks.addTask {
              let device = try await device(flow, at: site)
              try await device.staying(flow.names, options: flow.options) {
                try await #require(device.holdsCertificate(for: flow.names, under: site.pebble.root), "\(flow), seed \(seed)")
                let first = try device.certificate()
                try Data(first.utf8).write(to: device.folder.appending(path: "first.pem"))
                try await allInstalled(at: site)
                try await renewed(device, after: first, at: site)
                try await #require(device.holdsCertificate(for: flow.names, under: site.pebble.root), "\(flow), seed \(seed)")
              }
            }
          }
          var killer = Killer(of: site.connector, seed: seed)
          for certificates in [1, 2] {
            if certificates == 2 {
              try await site.connector.eventually("not all know what they had first") {
                Flow.all.allSatisfy { FileManager.default.fileExists(atPath: site.folder.appending(path: "\($0)/first.pem").path) }
              }
              let renewal = try await site.connector.administer("renew", "--reason", "forced", "--suffix", "site.example")
              try #require(renewal.succeeded, "\(renewal.complaints)")
            }
            repeat { try await killer.rage(for: .seconds(5)) } while killer.deaths.count < Killer.services.count
            // A name that the CA looked for in vain is tried again after a minute: nobody need wait for that here.
            try await allInstalled(certificates, at: site) { _ = try await site.connector.administer("renew") }
            print("kills between hosts: \(killer.deaths); \(try site.pebble.failedValidations()) names looked for in vain")
          }
          try await tasks.waitForAll()
        }
        try #require(site.pebble.record().certificates == 2 * (Flow.all.count + 1), "seed \(seed)")
      }
    }

    @Test("a reverse proxy with 20 names and 20 devices behind it: all are served, in whatever order they ask")
    func crowd() async throws {
      let names = (1...20).map { "host\($0).site.example" }
      try await Site.with(Dictionary(uniqueKeysWithValues: names.map { ($0, .proxy) })) { site in
        let proxy = try await site.device("proxy", on: .proxy)
        try await withThrowingTaskGroup { tasks in
          // Its own certificate has all the names, and is asked for amid those of the devices.
          tasks.addTask { try await proxy.staying(names, options: Self.asProxy) { try await installed(21, at: site) } }
          try await site.connector.eventually("the reverse proxy is not there") {
            try await site.connector.admin.list(AdminMethods.ListDevices.self, .init()).devices.contains { $0.roles == ["reverseProxy"] }
          }
          for name in names.shuffled() {
            tasks.addTask {
              let device = try await site.device(name, on: .device)
              let outcome = try await device.enroll([name])
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

    /// The device behind a way. Those behind a web server that forwards challenges come to the gateway through it, too.
    private func device(_ flow: Flow, at site: Site) async throws -> Device {
      guard case .forwarded(let server) = flow else { return try await site.device("\(flow)", on: .device) }
      return try await site.device("\(flow)", on: .device, through: server)
    }

    /// A device has a certificate, and then another one because somebody wants it.
    private func renew(_ flow: Flow, at site: Site) async throws {
      let device = try await device(flow, at: site)
      try await device.staying(flow.names, options: flow.options) {
        try await #require(device.holdsCertificate(for: flow.names, under: site.pebble.root), "\(flow)")
        let first = try device.certificate()
        let renewal = try await site.connector.administer("renew", "--reason", "forced", "--suffix", "\(flow).site.example")
        try #require(renewal.succeeded, "\(flow): \(renewal.complaints)")
        try await renewed(device, after: first, at: site)
        try await #require(device.holdsCertificate(for: flow.names, under: site.pebble.root), "\(flow)")
      }
    }

    private func renewed(_ device: Device, after first: String, at site: Site) async throws {
      try await site.connector.eventually("\(device.folder.lastPathComponent) has no other certificate") { try device.certificate() != first }
    }

    /// The web server's host has a name of which the connector knows nothing: certbot has a certificate for it, and renews that. It puts files into the
    /// web server's folder, or answers itself.
    private func certbot(behind server: WebServer, at site: Site) async throws {
      let folder = site.folder.appending(path: "certbot-\(server)").path
      let way =
        switch server {
        case .nginx, .apache: ["--webroot", "--webroot-path", site.webroot(of: server).path]
        case .haproxy, .caddy: ["--standalone", "--http-01-address", "127.0.0.1", "--http-01-port", "8082"]
        }
      let first =
        ["certonly", "--agree-tos", "--register-unsafely-without-email", "--server", site.pebble.directory]
        + ["--domain", "other.\(server).site.example"] + way
      for arguments in [first, ["renew", "--force-renewal", "--no-random-sleep-on-renew"]] {
        let outcome = try await site.on(
          server.host, "certbot", arguments + ["--non-interactive"] + ["--config-dir", "--work-dir", "--logs-dir"].flatMap { [$0, folder] },
          environment: ["REQUESTS_CA_BUNDLE": site.pebble.trust]
        ).run()
        try #require(outcome.succeeded, "\(server): \(outcome.complaints)")
      }
    }

    /// Waits until every device, and the reverse proxy, have told the connector that their certificate is in use.
    private func installed(_ count: Int, at site: Site, meanwhile: () async throws -> Void = {}) async throws {
      try await site.connector.eventually("not all are installed") {
        try await meanwhile()
        // Who would answer may have been killed just now.
        return (try? await site.connector.certificates())?.count { $0.state == .installed } == count
      }
    }

    /// The same for the devices of all ways; each has had so many certificates of the CA.
    private func allInstalled(_ certificates: Int = 1, at site: Site, meanwhile: () async throws -> Void = {}) async throws {
      let count = Flow.all.count + 1
      try await site.connector.eventually("not all have a certificate") {
        try await meanwhile()
        return try site.pebble.record().certificates >= certificates * count
      }
      try await installed(count, at: site, meanwhile: meanwhile)
    }

    /// A site with names for each way, and who stands at their port 80.
    private func site(longestPause: Double? = nil, _ body: @Sendable (Site) async throws -> Void) async throws {
      var names: [String: Site.Host] = ["connector.site.example": .connector, "proxy.site.example": .proxy]
      for flow in Flow.all { for name in flow.names { names[name] = flow.host } }
      for server in WebServer.allCases { names["other.\(server).site.example"] = server.host }
      try await Site.with(names, longestPause: longestPause) { site in
        try await site.withWebServers {
          let proxy = try await site.device("proxy", on: .proxy)
          try await proxy.staying(["proxy.site.example"], options: Self.asProxy) { try await body(site) }
        }
      }
    }
  }
}

/// The ways to port 80 of a name.
private enum Flow: Sendable, CustomStringConvertible {
  /// The name is the connector's.
  case direct
  /// A web server forwards to the connector, and follows its own rules where that knows nothing.
  case forwarded(WebServer)
  /// A web server redirects to the connector.
  case redirected(WebServer)
  /// A reverse proxy that is connected looks up.
  case lookedUp
  /// The device answers itself.
  case own

  static let all = WebServer.allCases.flatMap { [.forwarded($0), .redirected($0)] } + [direct, .lookedUp, .own]

  var description: String {
    switch self {
    case .direct: "direct"
    case .forwarded(let server): "forwarded-\(server)"
    case .redirected(let server): "redirected-\(server)"
    case .lookedUp: "looked-up"
    case .own: "own"
    }
  }

  /// The device's names: by IPv4, by IPv6, by both.
  var names: [String] {
    if case .redirected(let server) = self { return [server.redirectedName] }
    return ["four-", "six-", ""].map { "\($0)pbx.\(self).site.example" }
  }

  /// Where they lead.
  var host: Site.Host {
    switch self {
    case .direct: .connector
    case .forwarded(let server), .redirected(let server): server.host
    case .lookedUp: .proxy
    case .own: .device
    }
  }

  /// What the device has to be told.
  var options: [String] { if case .own = self { ["--http", "[::]:80"] } else { [] } }
}
