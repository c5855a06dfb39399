import FoundationEssentials
import PKI
import Programs
import ResponderAPI
import Testing
import Varlink

extension Integration {
  @Suite("The plug-ins that are there") struct PlugInTests {
    private static let token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"

    /// One of them; both put files into a folder here.
    enum Kind: String, CaseIterable {
      case webroot
      case command
    }

    @Test("answers for its names alone, and says that it is required for them", arguments: Kind.allCases)
    func names(kind: Kind) async throws {
      try await withPlugIn(kind, options: ["--name", "a.example", "--name", "*.b.example"]) { plugIn, folder in
        for (name, isServed) in [("a.example", true), ("x.y.b.example", true), ("b.example", false), ("x.a.example", false)] {
          let reply = try await plugIn.call(Responder.Publish.self, wish(name))
          try #require(reply.outcome == (isServed ? .inPlace : .notMine) && reply.required == isServed)
        }
        try #require(file(in: folder) == "\(Self.token).thumbprint")
      }
    }

    @Test("serves a token until the last order has let go, also when it was killed in between", arguments: Kind.allCases)
    func leases(kind: Kind) async throws {
      try await Testbed.withFolder { state in
        try await withPlugIn(kind, state: state) { plugIn, folder in
          for order in ["x", "y"] { _ = try await plugIn.call(Responder.Publish.self, wish("a.example", order: order)) }
        }
        try await withPlugIn(kind, state: state) { plugIn, folder in
          for order in ["x", "unknown"] {
            _ = try await plugIn.call(Responder.Withdraw.self, .init(order: order, token: wish("a.example").token))
            try #require(file(in: folder) != nil)
          }
          _ = try await plugIn.call(Responder.Withdraw.self, .init(order: "y", token: wish("a.example").token))
          try #require(file(in: folder) == nil)
        }
      }
    }

    @Test("webroot takes away what nobody has withdrawn in time")
    func expiry() async throws {
      try await withPlugIn(.webroot) { plugIn, folder in
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

    @Test("command takes away what nobody has withdrawn in time, when the time comes or when it is started again")
    func expiryOfCommand() async throws {
      try await Testbed.withFolder { state in
        @Sendable func publish(_ plugIn: VarlinkClient, for duration: Duration) async throws {
          var short = try wish("a.example")
          short.expires = WallClock.system.now() + duration
          _ = try await plugIn.call(Responder.Publish.self, short)
        }
        let present = try await withPlugIn(.command, state: state) { plugIn, folder in
          try await publish(plugIn, for: .milliseconds(200))
          try await gone(from: folder)
          // And one that will be over when nobody is there.
          try await publish(plugIn, for: .seconds(3))
          return file(in: folder) != nil
        }
        try #require(present)
        try await Task.sleep(for: .seconds(3))
        try await withPlugIn(.command, state: state) { _, folder in try await gone(from: folder) }
      }
    }

    @Test("command says why its command has failed, and takes away what that may have done")
    func failure() async throws {
      try await withPlugIn(.command, publishing: "&& echo no more room >&2 && false") { plugIn, folder in
        let fault = await #expect(throws: Responder.NotPublished.self) { try await plugIn.call(Responder.Publish.self, wish("a.example")) }
        try #require(fault?.reason == "The command for a.example failed: no more room.")
        try #require(file(in: folder) != nil)
        _ = try await plugIn.call(Responder.Withdraw.self, .init(order: "order", token: wish("a.example").token))
        try #require(file(in: folder) == nil)
      }
    }

    @Test("command waits eight seconds for its command, and not for what that has left running")
    func background() async throws {
      try await withPlugIn(.command, publishing: "; setsid sleep 20 & exit 0") { plugIn, _ in
        try await #require(plugIn.call(Responder.Publish.self, wish("a.example")).outcome == .inPlace)
      }
      try await withPlugIn(.command, publishing: "; setsid sleep 60 & sleep 60") { plugIn, _ in
        let start = ContinuousClock.now
        let fault = await #expect(throws: Responder.NotPublished.self) { try await plugIn.call(Responder.Publish.self, wish("a.example")) }
        try #require(fault?.reason == "The command for a.example failed: it was not done within 8 s.")
        try #require(ContinuousClock.now - start < .seconds(30))
      }
    }

    @Test("command keeps the lease when its withdraw command has failed, and tries again when it is started again")
    func withdrawal() async throws {
      try await Testbed.withFolder { state in
        try await withPlugIn(.command, state: state, withdrawing: "echo out of order >&2 && false &&") { plugIn, folder in
          _ = try await plugIn.call(Responder.Publish.self, wish("a.example"))
          _ = try await plugIn.call(Responder.Withdraw.self, .init(order: "order", token: wish("a.example").token))
          try #require(file(in: folder) != nil)
        }
        let log = try String(contentsOf: state.appending(path: "plug-in.log"), encoding: .utf8)
        try #require(log.contains("\(Self.token) of a.example is not taken away, tried again in 60 s: out of order"))
        try await withPlugIn(.command, state: state) { _, folder in try await gone(from: folder) }
      }
    }

    @Test("command sets aside what it has noted when that is damaged", arguments: ["{", "[]", #"{"a": {"name": "a", "answer": "a", "orders": {}}}"#])
    func damage(note: String) async throws {
      try await Testbed.withFolder { state in
        try Data(note.utf8).write(to: state.appending(path: "leases.json"))
        try await withPlugIn(.command, state: state) { plugIn, _ in
          try await #require(plugIn.call(Responder.Publish.self, wish("a.example")).outcome == .inPlace)
        }
        try #require(String(contentsOf: state.appending(path: "leases.damaged"), encoding: .utf8) == note)
      }
    }

    @Test("webroot follows no symbolic link, and says what is wrong")
    func links() async throws {
      try await withPlugIn(.webroot) { plugIn, folder in
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

    private func gone(from folder: URL) async throws {
      let deadline = ContinuousClock.now + .seconds(20)
      while file(in: folder) != nil {
        try #require(ContinuousClock.now < deadline, "the answer stays")
        try await Task.sleep(for: .milliseconds(20))
      }
    }

    /// The plug-in, webroot by Debian's Python with nothing of PyPI; what it knows is in `state` from one time to the next.
    /// - Parameters:
    ///   - publishing: What the command does besides putting a file into the folder.
    ///   - withdrawing: What it does before it takes that away.
    private func withPlugIn<Result: Sendable>(
      _ kind: Kind, state: URL? = nil, options: [String] = [], publishing: String = "", withdrawing: String = "",
      _ body: @Sendable (VarlinkClient, URL) async throws -> Result
    ) async throws -> Result {
      guard let state else {
        return try await Testbed.withFolder {
          try await withPlugIn(kind, state: $0, options: options, publishing: publishing, withdrawing: withdrawing, body)
        }
      }
      let (folder, socket) = (state.appending(path: "www"), state.appending(path: "\(UInt16.random(in: 0 ... .max)).sock").path)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let place = "\(folder.path)/.well-known/acme-challenge"
      let way =
        switch kind {
        case .webroot: ["--directory", folder.path]
        case .command:
          [
            "--publish", "mkdir -p \(place) && printf %s \"$ACME_KEY_AUTHORIZATION\" > \(place)/$ACME_TOKEN \(publishing)", "--withdraw",
            "\(withdrawing) rm \(place)/$ACME_TOKEN",
          ]
        }
      let program = Command(
        kind == .webroot ? "/usr/bin/python3" : Project.foreignPython, [Project.plugIn(kind.rawValue), "--socket", socket] + way + options,
        environment: ["STATE_DIRECTORY": state.path])
      return try await program.running(when: "test -S \(socket)", log: state.appending(path: "plug-in.log")) {
        try await body(VarlinkClient(path: socket), folder)
      }
    }
  }
}
