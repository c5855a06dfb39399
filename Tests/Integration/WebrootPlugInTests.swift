import FoundationEssentials
import PKI
import Programs
import ResponderAPI
import Testing
import Varlink

extension Integration {
  @Suite("The plug-in for a web server's folder") struct WebrootPlugInTests {
    private static let token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"

    @Test("answers for its names alone, and says that it is required for them")
    func names() async throws {
      try await withPlugIn(options: ["--name", "a.example", "--name", "*.b.example"]) { plugIn, folder in
        for (name, isServed) in [("a.example", true), ("x.y.b.example", true), ("b.example", false), ("x.a.example", false)] {
          let reply = try await plugIn.call(Responder.Publish.self, wish(name))
          try #require(reply.outcome == (isServed ? .inPlace : .notMine) && reply.required == isServed)
        }
        try #require(file(in: folder) == "\(Self.token).thumbprint")
      }
    }

    @Test("serves a token until the last order has let go, also when it was killed in between")
    func leases() async throws {
      try await Testbed.withFolder { state in
        try await withPlugIn(state: state) { plugIn, folder in
          for order in ["x", "y"] { _ = try await plugIn.call(Responder.Publish.self, wish("a.example", order: order)) }
        }
        try await withPlugIn(state: state) { plugIn, folder in
          for order in ["x", "unknown"] {
            _ = try await plugIn.call(Responder.Withdraw.self, .init(order: order, token: wish("a.example").token))
            try #require(file(in: folder) != nil)
          }
          _ = try await plugIn.call(Responder.Withdraw.self, .init(order: "y", token: wish("a.example").token))
          try #require(file(in: folder) == nil)
        }
      }
    }

    @Test("takes away what nobody has withdrawn in time")
    func expiry() async throws {
      try await withPlugIn { plugIn, folder in
        var short = try wish("a.example")
        short.expires = WallClock.system.now() + .milliseconds(1)
        _ = try await plugIn.call(Responder.Publish.self, short)
        var other = try wish("a.example")
        other.token = try #require(ChallengeToken("other"))
        other.keyAuthorization = KeyAuthorization(token: other.token, thumbprint: "thumbprint")
        try await Task.sleep(for: .milliseconds(5))
        _ = try await plugIn.call(Responder.Publish.self, other)
        try #require(file(in: folder) == nil)
      }
    }

    @Test("follows no symbolic link, and says what is wrong")
    func links() async throws {
      try await withPlugIn { plugIn, folder in
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/.well-known", withDestinationPath: "/tmp")
        let fault = await #expect(throws: Responder.NotPublished.self) { try await plugIn.call(Responder.Publish.self, wish("a.example")) }
        try #require(fault?.reason.contains("could not be written below \(folder.path)") == true && fault?.required == false)
      }
    }

    private func wish(_ name: String, order: String = "order") throws -> Responder.Publish.Parameters {
      let token = try #require(ChallengeToken(Self.token))
      return Responder.Publish.Parameters(
        order: order, name: try #require(DNSName(name)), token: token, keyAuthorization: KeyAuthorization(token: token, thumbprint: "thumbprint"),
        device: nil, expires: WallClock.system.now() + .seconds(300))
    }

    private func file(in folder: URL) -> String? {
      try? String(contentsOf: folder.appending(path: ".well-known/acme-challenge/\(Self.token)"), encoding: .utf8)
    }

    /// The plug-in by Debian's Python, with nothing of PyPI; what it knows is in `state` from one time to the next.
    private func withPlugIn(state: URL? = nil, options: [String] = [], _ body: @Sendable (VarlinkClient, URL) async throws -> Void) async throws {
      guard let state else { return try await Testbed.withFolder { try await withPlugIn(state: $0, options: options, body) } }
      let (folder, socket) = (state.appending(path: "www"), state.appending(path: "\(UInt16.random(in: 0 ... .max)).sock").path)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let program = Command(
        "/usr/bin/python3", [Project.plugIn("webroot"), "--directory", folder.path, "--socket", socket] + options,
        environment: ["STATE_DIRECTORY": state.path])
      try await program.running(when: "test -S \(socket)", log: state.appending(path: "plug-in.log")) {
        try await body(VarlinkClient(path: socket), folder)
      }
    }
  }
}
