import FoundationEssentials
import Programs
import SchedulerAPI
import Testing
import Varlink

extension Integration {
  @Suite("Port 80 of hosts with addresses of their own", .enabled(if: Network.isWanted, "network namespaces need root"))
  struct SiteFlowTests {
    private static let asProxy = ["--role", "reverse-proxy", "--http", "[::]:80"]

    @Test("every way there leads to a certificate and to its renewal, all at once, over IPv4 and IPv6, and certbot gets its own beside them")
    func renewed() async throws {
      try await site { site in
        try await withThrowingTaskGroup { tasks in
          for flow in Flow.allCases { tasks.addTask { try await renew(flow, at: site) } }
          tasks.addTask { try await certbot(at: site) }
          try await tasks.waitForAll()
        }
        // Those of the reverse proxy and of certbot, too.
        try #require(site.pebble.record().certificates == 2 * Flow.allCases.count + 2)
      }
    }

    @Test("every way there leads on while the services are killed again and again, from one certificate each")
    func killed() async throws {
      let seed = Killer.seed
      print("kills between hosts: seed \(seed)")
      try await site(longestPause: 0.1) { site in
        try await withThrowingTaskGroup { tasks in
          for flow in Flow.allCases {
            tasks.addTask {
              let device = try await site.device(flow.rawValue, on: .device)
              try await device.staying(flow.names, options: flow.options) { try await allInstalled(at: site) }
              try await #require(device.holdsCertificate(for: flow.names, under: site.pebble.root), "\(flow), seed \(seed)")
            }
          }
          var killer = Killer(of: site.connector, seed: seed)
          repeat { try await killer.rage(for: .seconds(5)) } while killer.deaths.count < Killer.services.count
          print("kills between hosts: \(killer.deaths); \(try site.pebble.failedValidations()) names looked for in vain")
          // A name that the CA looked for in vain is tried again after a minute: nobody need wait for that here.
          tasks.addTask { try await allInstalled(at: site) { _ = try await site.connector.administer("renew") } }
          try await tasks.waitForAll()
        }
        try #require(site.pebble.record().certificates == Flow.allCases.count + 1, "seed \(seed)")
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

    /// A device has a certificate, and then another one because somebody wants it.
    private func renew(_ flow: Flow, at site: Site) async throws {
      let device = try await site.device(flow.rawValue, on: .device)
      try await device.staying(flow.names, options: flow.options) {
        try await #require(device.holdsCertificate(for: flow.names, under: site.pebble.root), "\(flow)")
        let first = try device.certificate()
        let renewed = try await site.connector.administer("renew", "--reason", "forced", "--suffix", "\(flow.rawValue).site.example")
        try #require(renewed.succeeded, "\(flow): \(renewed.complaints)")
        try await site.connector.eventually("\(flow): there is no other certificate") { try device.certificate() != first }
        try await #require(device.holdsCertificate(for: flow.names, under: site.pebble.root), "\(flow)")
      }
    }

    /// The web server's host has names of which the connector knows nothing.
    private func certbot(at site: Site) async throws {
      let folder = site.folder.appending(path: "certbot").path
      let names = [Flow.filesFirst, .forwarded].flatMap { ["--domain", "other.\($0.rawValue).site.example"] }
      let outcome = try await site.on(
        .webServer, "certbot",
        ["certonly", "--non-interactive", "--agree-tos", "--register-unsafely-without-email", "--server", site.pebble.directory]
          + ["--webroot", "--webroot-path", site.webroot.path] + names + ["--config-dir", "--work-dir", "--logs-dir"].flatMap { [$0, folder] },
        environment: ["REQUESTS_CA_BUNDLE": site.pebble.trust]
      ).run()
      try #require(outcome.succeeded, "\(outcome.complaints)")
    }

    /// Waits until every device, and the reverse proxy, have told the connector that their certificate is in use.
    private func installed(_ count: Int, at site: Site, meanwhile: () async throws -> Void = {}) async throws {
      try await site.connector.eventually("not all are installed") {
        try await meanwhile()
        // Who would answer may have been killed just now.
        return (try? await site.connector.certificates())?.count { $0.state == .installed } == count
      }
    }

    private func allInstalled(at site: Site, meanwhile: () async throws -> Void = {}) async throws {
      try await installed(Flow.allCases.count + 1, at: site, meanwhile: meanwhile)
    }

    /// A site with names for each way, and who stands at their port 80.
    private func site(longestPause: Double? = nil, _ body: @Sendable (Site) async throws -> Void) async throws {
      var names: [String: Site.Host] = ["connector.site.example": .connector, "proxy.site.example": .proxy]
      for flow in Flow.allCases {
        for name in flow.names + ["other.\(flow.rawValue).site.example"] { names[name] = flow.host }
      }
      try await Site.with(names, longestPause: longestPause) { site in
        try await site.withWebServer {
          let proxy = try await site.device("proxy", on: .proxy)
          try await proxy.staying(["proxy.site.example"], options: Self.asProxy) { try await body(site) }
        }
      }
    }
  }
}

/// The ways to port 80 of a name.
private enum Flow: String, CaseIterable {
  /// The name is the connector's.
  case direct
  /// A web server looks into its own files first, and forwards to the connector.
  case filesFirst = "files-first"
  /// A web server forwards to the connector, and follows its own rules where that knows nothing.
  case forwarded
  /// A web server redirects to the connector.
  case redirected
  /// A reverse proxy that is connected looks up.
  case lookedUp = "looked-up"
  /// The device answers itself.
  case own

  /// The device's names: by IPv4, by IPv6, by both.
  var names: [String] { ["four-", "six-", ""].map { "\($0)pbx.\(rawValue).site.example" } }

  /// Where they lead.
  var host: Site.Host {
    switch self {
    case .direct: .connector
    case .filesFirst, .forwarded, .redirected: .webServer
    case .lookedUp: .proxy
    case .own: .device
    }
  }

  /// What the device has to be told.
  var options: [String] { self == .own ? ["--http", "[::]:80"] : [] }
}
