import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  /// The configurations of deploy/reverse-proxy, in the real programs, as they are installed.
  @Suite("A reverse proxy at port 80") struct ReverseProxyTests {
    @Test("finds no fault in its example, hands challenges to the connector, then to others, and all else to https", arguments: Proxy.all)
    func shared(proxy: Proxy) async throws {
      try await Bed.with { bed in
        try await bed.add("[Socket]\nListenStream=\nListenStream=127.0.0.1:8081", to: "acme-connector-challenge-http-http.socket")
        try await bed.run("systemctl", "stop", Unit.challengeHTTP.service)
        try await bed.run("systemctl", "restart", "acme-connector-challenge-http-http.socket")
        try await bed.write("somebody else's", to: "/var/www/html/.well-known/acme-challenge/file")
        try await bed.write("a device's own", to: "/srv/other/.well-known/acme-challenge/other")
        try await bed.run("systemd-run", "--unit=other", "python3", "-m", "http.server", "--bind=127.0.0.1", "--directory=/srv/other", "8082")
        try await bed.run("sh", "-c", Proxy.certificate)

        try await bed.write(proxy.wrapper, to: "/root/proxy.conf")
        try await bed.run("sh", "-c", proxy.check)
        try await bed.run("systemd-run", "--unit=proxy", "--setenv=HOME=/root", "sh", "-c", "exec \(proxy.start)")
        try await bed.eventually("\(proxy.name) does not listen") { try await bed.outcome("curl", ["-s", "http://127.0.0.1/"]).succeeded }

        let challenges = "http://pbx.system.example/.well-known/acme-challenge"
        #expect(try await bed.get("\(challenges)/none").hasPrefix("404 "))
        if proxy.hasFiles { #expect(try await bed.get("\(challenges)/file") == "200 somebody else's") }
        #expect(try await bed.get("\(challenges)/other") == "200 a device's own")
        let sent = try await bed.run(
          "curl", "-so/dev/null", "-w%{http_code} %{redirect_url}", "-H", "Host: www.example.com", "http://127.0.0.1/.well-known/acme-challenge/a")
        #expect(sent == "301 http://connector.example.com/.well-known/acme-challenge/a")
        let elsewhere = try await bed.run(
          "curl", "-so/dev/null", "-w%{http_code} %{redirect_url}", "--resolve", Bed.resolved, "http://pbx.system.example/a?b")
        #expect(elsewhere == "301 https://pbx.system.example/a?b")
      }
    }
  }
}

/// One of the programs, and how it is run with its example alone.
struct Proxy: Sendable, CustomTestStringConvertible {
  var name: String
  /// A configuration that includes the example, where that is not whole by itself.
  var wrapper = ""
  var check: String
  var start: String
  /// Whether it serves files of other ACME clients.
  var hasFiles = true

  var testDescription: String { name }

  /// Makes the certificate of which the examples speak.
  static let certificate = """
    mkdir -p /etc/ssl/connector && cd /etc/ssl/connector
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=connector.example.com -keyout key.pem -out fullchain.pem 2>&1
    cat fullchain.pem key.pem > haproxy.pem
    """

  private static func example(_ name: String) -> String { "/usr/share/doc/acme-connector/examples/\(name)" }

  static let all = [
    Proxy(
      name: "nginx", wrapper: "events {} http { include \(example("nginx.conf")); }", check: "nginx -t -c /root/proxy.conf",
      start: "nginx -c /root/proxy.conf -g 'daemon off;'"),
    Proxy(
      name: "Apache", wrapper: apache, check: "apache2 -t -f /root/proxy.conf", start: "apache2 -f /root/proxy.conf -DFOREGROUND"),
    Proxy(
      name: "HAProxy", check: "haproxy -c -f \(example("haproxy.cfg"))", start: "haproxy -db -f \(example("haproxy.cfg"))", hasFiles: false),
    Proxy(
      name: "Caddy", check: "caddy validate --adapter caddyfile --config \(example("Caddyfile"))",
      start: "caddy run --adapter caddyfile --config \(example("Caddyfile"))"),
  ]

  private static let apache =
    ["mpm_event", "authz_core", "proxy", "proxy_http", "rewrite", "socache_shmcb", "ssl"]
    .map { "LoadModule \($0)_module /usr/lib/apache2/modules/mod_\($0).so\n" }.joined()
    + "ServerName localhost\nListen 80\nListen 443\nPidFile /run/proxy.pid\nErrorLog /run/proxy.log\nInclude \(example("apache.conf"))\n"
}

extension Bed {
  fileprivate static let resolved = "pbx.system.example:80:127.0.0.1"

  /// The status and the body of an answer.
  fileprivate func get(_ url: String) async throws -> String {
    let outcome = try await outcome("curl", ["-s", "--resolve", Self.resolved, "-w%{stderr}%{http_code}", url])
    return "\(outcome.complaints) \(outcome.output)"
  }
}
