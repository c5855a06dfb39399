import FoundationEssentials
import Programs
import Testing

/// A web server or reverse proxy that knows nothing of us, with its example of deploy/reverse-proxy.
enum WebServer: String, CaseIterable, Sendable {
  case nginx
  case haproxy
  case apache
  case caddy

  /// Where it stands in a site.
  var host: Site.Host {
    switch self {
    case .nginx: .nginx
    case .haproxy: .haproxy
    case .apache: .apache
    case .caddy: .caddy
    }
  }

  /// Whose challenges it sends to the connector.
  var redirectedName: String { "pbx.redirected-\(rawValue).site.example" }

  private var example: String {
    switch self {
    case .nginx: "nginx.conf"
    case .haproxy: "haproxy.cfg"
    case .apache: "apache.conf"
    case .caddy: "Caddyfile"
    }
  }

  /// The example with what a system has around it. As one process, or as root: the folder is this user's alone.
  private func configuration(around example: String, in folder: URL) -> String {
    switch self {
    case .nginx:
      "daemon off; master_process off; pid \(folder.path)/pid; error_log stderr; events {}\nhttp { access_log off;\n\(example)}\n"
    case .haproxy:
      example
    case .apache:
      ["mpm_event", "authz_core", "proxy", "proxy_http", "rewrite", "socache_shmcb", "ssl"]
        .map { "LoadModule \($0)_module /usr/lib/apache2/modules/mod_\($0).so\n" }.joined()
        + "ServerName localhost\nListen 80\nListen 443\nPidFile \(folder.path)/pid\nErrorLog /dev/stderr\nMutex file:\(folder.path) default\n"
        + example
    case .caddy:
      "{\n\tadmin off\n}\n\(example)"
    }
  }

  /// Runs it in the foreground.
  private func command(configuration: URL, in folder: URL) -> Command {
    switch self {
    case .nginx: Command("nginx", ["-c", configuration.path, "-e", "stderr"])
    case .haproxy: Command("haproxy", ["-db", "-f", configuration.path])
    case .apache: Command("apache2", ["-DFOREGROUND", "-f", configuration.path])
    case .caddy:
      Command(
        "caddy", ["run", "--adapter", "caddyfile", "--config", configuration.path],
        environment: ["HOME": folder.path, "XDG_CONFIG_HOME": folder.path, "XDG_DATA_HOME": folder.path])
    }
  }

  /// The text of its example, for other addresses, names and files than those that stand there.
  private func example(replacing places: [(String, String)]) throws -> String {
    let text = try String(contentsOf: Project.root.appending(path: "deploy/reverse-proxy/\(example)"), encoding: .utf8)
    return try places.reduce(text) { text, place in
      // haproxy.cfg alone knows no files.
      guard text.contains(place.0) || self == .haproxy else { throw Failure("there is no \(place.0) in deploy/reverse-proxy/\(example)") }
      return text.replacing(place.0, with: place.1)
    }
  }

  /// Makes the certificate of which the examples speak, for each one's address in a site.
  static func makeCertificate(in folder: URL) async throws {
    let certified = try await Command(
      "openssl",
      ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=connector", "-addext"]
        + ["subjectAltName=" + allCases.map { "IP:\($0.host.four)" }.joined(separator: ",")]
        + ["-keyout", folder.appending(path: "key.pem").path, "-out", folder.appending(path: "fullchain.pem").path]
    ).run()
    guard certified.succeeded else { throw Failure("openssl has made no certificate: \(certified.complaints)") }
    let both = try ["fullchain.pem", "key.pem"].map { try String(contentsOf: folder.appending(path: $0), encoding: .utf8) }.joined()
    try Data(both.utf8).write(to: folder.appending(path: "haproxy.pem"))
  }

  /// Runs it beside `body`, by its example with other addresses, names and files.
  func running<Result: Sendable>(
    in folder: URL, on network: Network, replacing places: [(String, String)], _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    let file = folder.appending(path: "configuration")
    try Data(configuration(around: try example(replacing: places), in: folder).utf8).write(to: file)
    return try await network.inside(command(configuration: file, in: folder)).running(
      when: "ip netns exec \(network.name) ss -Hltn 'sport = :443' | grep .", log: folder.appending(path: "log"), body)
  }
}

extension Site {
  /// Runs nginx, HAProxy, Apache and Caddy beside `body`, each on its host and by its example; the connector trusts them.
  func withWebServers<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
    try await WebServer.makeCertificate(in: folder)
    let trusted = try await connector.administer(
      "settings", "set", "gateway.trustedProxies", WebServer.allCases.map(\.host.four).joined(separator: ","))
    guard trusted.succeeded else { throw Failure("the proxies are not trusted: \(trusted.complaints)") }
    return try await run(WebServer.allCases[...], body)
  }

  /// The folder with the files of a web server.
  func webroot(of server: WebServer) -> URL { folder.appending(path: "\(server)/www") }

  /// A device on a host, which comes to the connector through a web server's port for TLS.
  func device(_ name: String, on host: Host, through server: WebServer) async throws -> Device {
    let digest = "openssl x509 -in \"$0\" -noout -pubkey | openssl pkey -pubin -outform der | sha256sum | cut -c 1-64"
    let pin = try await Command("sh", ["-c", digest, folder.appending(path: "fullchain.pem").path]).run().output
    var device = Device(folder: folder.appending(path: name), connector: connector)
    device.url = "wss://\(server.host.four)/connector"
    device.network = networks[host]
    device.options = ["--pin", String(pin.prefix(64)), "--hardware-id", name]
    return device
  }

  private func run<Result: Sendable>(
    _ servers: ArraySlice<WebServer>, _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    guard let server = servers.first, let network = networks[server.host] else { return try await body() }
    let own = folder.appending(path: "\(server)")
    try FileManager.default.createDirectory(at: webroot(of: server), withIntermediateDirectories: true)
    let plain = try #require(connector.plain.split(separator: "/").dropFirst().first)
    let places: [(String, String)] = [
      ("127.0.0.1:8081", "\(Host.connector.four):80"), ("127.0.0.1:8080", "\(plain)"), ("/var/www/html", webroot(of: server).path),
      ("/etc/ssl/connector", folder.path), ("http://connector.example.com", "http://connector.site.example"),
      ("connector.example.com", server.host.four), ("www.example.com", server.redirectedName),
    ]
    return try await server.running(in: own, on: network, replacing: places) { try await run(servers.dropFirst(), body) }
  }
}
