import FoundationEssentials
import Programs
import Testing

extension Integration {
  @Suite("A web server with its example", .enabled(if: Network.isWanted, "network namespaces need root"))
  struct WebServerTests {
    /// What a connector in trouble does with a connection, in Python.
    enum Trouble: String, CaseIterable {
      /// Nothing: systemd's socket takes it, and the service cannot start.
      case silent = "import time; time.sleep(600)"
      case cutting = "while True: listener.accept()[0].close()"
    }

    @Test(
      "goes on by its own rules, in time for a CA, when the connector is silent or cuts the connection", arguments: WebServer.allCases,
      Trouble.allCases)
    func without(server: WebServer, trouble: Trouble) async throws {
      try await Testbed.withFolder { folder in
        try await WebServer.makeCertificate(in: folder)
        for (place, text) in [("www", "somebody else's"), ("own", "a device's own")] {
          let challenges = folder.appending(path: "\(place)/.well-known/acme-challenge")
          try FileManager.default.createDirectory(at: challenges, withIntermediateDirectories: true)
          try Data(text.utf8).write(to: challenges.appending(path: place))
        }
        let places = [("/var/www/html", folder.appending(path: "www").path), ("/etc/ssl/connector", folder.path)]
        try await Network.with(names: ["pbx.example", "www.example.com"]) { network in
          let connector = "import socket; listener = socket.create_server((\"127.0.0.1\", 8081))\n\(trouble.rawValue)"
          try await python(["-c", connector], at: 8081, on: network, in: folder) {
            let device = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", folder.appending(path: "own").path, "8082"]
            try await python(device, at: 8082, on: network, in: folder) {
              try await server.running(in: folder, on: network, replacing: places) {
                let challenges = "http://pbx.example/.well-known/acme-challenge"
                if server != .haproxy { try await #require(get("\(challenges)/www", on: network) == "somebody else's 200 ") }
                try await #require(get("\(challenges)/own", on: network) == "a device's own 200 ")
                // What is no challenge is not the connector's.
                for name in ["pbx.example", "www.example.com"] {
                  try await #require(get("http://\(name)/a?b", on: network).hasSuffix(" 301 https://\(name)/a?b"))
                }
              }
            }
          }
        }
      }
    }

    /// Runs a program of Python beside `body`, which is called when it listens.
    private func python(
      _ arguments: [String], at port: Int, on network: Network, in folder: URL, _ body: @Sendable () async throws -> Void
    ) async throws {
      try await network.inside(Command("/usr/bin/python3", arguments)).running(
        when: "ip netns exec \(network.name) ss -Hltn 'sport = :\(port)' | grep .", log: folder.appending(path: "\(port).log"), body)
    }

    /// The body, the status, and where it leads, as long as a CA waits.
    private func get(_ url: String, on network: Network) async throws -> String {
      try await network.inside(Command("curl", ["-s", "--max-time", "9", "-w", " %{http_code} %{redirect_url}", url])).run().output
    }
  }
}
