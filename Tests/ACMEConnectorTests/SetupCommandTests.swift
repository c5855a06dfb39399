import DeviceGatewayAPI
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import Testing
import Varlink

@testable import ACMEConnectorCommand

@Suite("acme-connector setup")
struct SetupCommandTests {
  /// A connector that keeps what is stored, and a CA that answers.
  private final class Installation: Sendable {
    struct State {
      var settings = ["authority.directory": "", "authority.termsAgreed": "false", "authority.contact": "", "gateway.names": ""]
      var logins: [Logins.Login] = []
      var secrets: [String: String] = [:]
      var asked: [AdminMethods.DescribeAuthority.Parameters] = []
      var skew = Duration.zero
      var hasTerms = true
    }

    let state = NIOLockedValueBox(State())

    func set(_ change: (inout State) -> Void) { state.withLockedValue { change(&$0) } }
    var settings: [String: String] { state.withLockedValue(\.settings) }
    var logins: [Logins.Login] { state.withLockedValue(\.logins) }
    func secret(of login: String) throws -> String { try #require(state.withLockedValue { $0.secrets[login] }) }

    func serving<Result: Sendable>(_ body: @Sendable (TestConnector) async throws -> Result) async throws -> Result {
      try await TestConnector.serving(
        ["admin.sock": VarlinkInterfaceHandlers(.admin, admin), "logins.sock": VarlinkInterfaceHandlers(.logins, gateway)], body)
    }

    private var admin: [VarlinkHandler] {
      [
        .reply(AdminMethods.ListSettings.self) { [self] _, _ in
          .init(
            settings: settings.map { SettingView(key: $0.key, value: $0.value, source: $0.value.isEmpty ? .standard : .stored, description: "") })
        },
        .reply(AdminMethods.ChangeSetting.self) { [self] call, _ in
          set { $0.settings[call.key] = call.value }
          return .init(setting: SettingView(key: call.key, value: call.value ?? "", source: .stored, description: ""))
        },
        .reply(AdminMethods.DescribeAuthority.self) { [self] call, _ in
          try state.withLockedValue { state in
            state.asked.append(call)
            guard call.directory?.hasPrefix("https://down") == false else {
              throw AdminMethods.Refused(error: "caUnavailable", text: "The CA cannot be reached.")
            }
            return .init(
              directory: call.directory ?? "", termsOfService: state.hasTerms ? "https://ca.example/terms" : nil, externalAccountRequired: false,
              date: TestConnector.now - state.skew)
          }
        },
      ]
    }

    private var gateway: [VarlinkHandler] {
      [
        .list(Logins.List.self) { [self] _ in logins },
        .reply(Logins.Add.self) { [self] call, _ in
          let login = Logins.Login(name: call.name, scope: call.scope, kind: call.kind, nameSuffixes: [], secrets: [])
          set {
            $0.logins.append(login)
            $0.secrets[call.name] = call.secret
          }
          return Logins.Changed(login: login)
        },
        .reply(Logins.Describe.self) { _, _ in
          .init(
            pin: SubjectPublicKeyPin(of: []), path: "/connector", port: 8443, connections: 0, fingerprint: Fingerprint(of: []),
            notAfter: TestConnector.now)
        },
      ]
    }
  }

  private static let complete = ["setup", "--ca", "https://ca.example/directory", "--agree-to-terms", "--gateway-name", "gw.example.com"]

  @Test("with complete options it asks nothing, and says what to open, to type and to paste")
  func options() async throws {
    let installation = Installation()
    let printed = try await installation.serving { try await $0.run(arguments: Self.complete + ["--contact", "a@example.com"]) }
    #expect(
      installation.settings == [
        "authority.directory": "https://ca.example/directory", "authority.termsAgreed": "true", "authority.contact": "a@example.com",
        "gateway.names": "gw.example.com",
      ])
    #expect(Set(installation.logins.map(\.name)) == ["device", "admin"])
    for words in [
      "TCP 80", "TCP 8443", "TCP 443 to ca.example", "URL       wss://gw.example.com:8443/connector",
      "Password  \(try installation.secret(of: "device"))", "password  \(try installation.secret(of: "admin"))",
    ] {
      #expect(printed.output.contains(words))
    }
    let line = try #require(printed.output.split(separator: "\n").first { $0.hasPrefix("acme-device ") })
    #expect(line.contains("--connector wss://gw.example.com:8443/connector --pin \(SubjectPublicKeyPin(of: []).hex) --password-file "))
    #expect(try !line.contains(installation.secret(of: "device")), "no secret is in a line that is pasted")
    #expect(printed.notes.isEmpty)
  }

  @Test("done twice it changes nothing, and shows no secret again")
  func twice() async throws {
    let installation = Installation()
    let second = try await installation.serving { connector in
      try await connector.run(arguments: Self.complete)
      return try await connector.run("setup")
    }
    #expect(second.output.hasPrefix("Nothing had to be changed"))
    #expect(second.output.contains("URL       wss://gw.example.com:8443/connector"))
    #expect(try !second.output.contains(installation.secret(of: "device")))
    #expect(installation.logins.count == 2)
  }

  @Test("where nobody can be asked, all that is missing is named at once, and nothing is stored")
  func missing() async throws {
    let installation = Installation()
    let first = await #expect(throws: CommandError.self) { try await installation.serving { try await $0.run("setup") } }
    #expect(first?.description.contains("--ca; --agree-to-terms") == true)
    let second = await #expect(throws: CommandError.self) {
      try await installation.serving { try await $0.run("setup", "--ca", "letsencrypt", "--gateway-name", "gw.example.com") }
    }
    #expect(second?.description.contains("--agree-to-terms, when you have read the CA's terms of service (https://ca.example/terms)") == true)
    #expect(installation.settings["authority.directory"] == "" && installation.settings["gateway.names"] == "" && installation.logins.isEmpty)
  }

  @Test("a person is asked for what the options leave open, again where the answer is none, and about the terms with their URL")
  func questions() async throws {
    let installation = Installation()
    let answers = [
      "nonsense", "https://down.example", "", "https://ca.example/directory", "", "yes", "a@example.com", "no name", "gw.example.com", "",
    ]
    let printed = try await installation.serving { try await $0.run("setup", answers: answers) }
    #expect(installation.settings["authority.directory"] == "https://ca.example/directory")
    #expect(installation.settings["authority.termsAgreed"] == "true")
    #expect(installation.settings["authority.contact"] == "a@example.com")
    #expect(installation.settings["gateway.names"] == "gw.example.com")
    for words in ["letsencrypt", "neither one of these words", "cannot be reached", "https://ca.example/terms", "A host name is like"] {
      #expect(printed.notes.contains(words), "\(words)")
    }
    #expect(!printed.output.contains("?"), "what is asked is no part of the result")
  }

  @Test(
    "who does not agree, or ends before the last question, leaves all as it was", arguments: [["", "no"], ["", "yes", "", "", "no"], ["", "yes"]])
  func ended(answers: [String]) async throws {
    let installation = Installation()
    let error = await #expect(throws: CommandError.self) { try await installation.serving { try await $0.run("setup", answers: answers) } }
    #expect(error?.description.contains("nothing was changed") == true)
    #expect(installation.settings["authority.directory"] == "" && installation.logins.isEmpty)
  }

  @Test("what is set is the answer to just pressing return")
  func defaults() async throws {
    let installation = Installation()
    let printed = try await installation.serving { connector in
      try await connector.run(arguments: Self.complete + ["--contact", "a@example.com"])
      return try await connector.run("setup", answers: ["", "", "", "", "", ""])
    }
    #expect(printed.output.hasPrefix("Nothing had to be changed"))
    #expect(installation.settings["authority.contact"] == "a@example.com")
  }

  @Test("another CA is asked for consent of its own, and its roots are not those of the first")
  func otherAuthority() async throws {
    let installation = Installation()
    installation.set {
      $0.settings = ["authority.directory": "https://first.example", "authority.termsAgreed": "true", "authority.trustRoots": "/first.pem"]
    }
    await #expect(throws: CommandError.self) { try await installation.serving { try await $0.run("setup", "--ca", "letsencrypt") } }
    try await installation.serving { _ = try await $0.run("setup", "--ca", "letsencrypt", "--agree-to-terms") }
    #expect(installation.settings["authority.directory"] == "https://acme-v02.api.letsencrypt.org/directory")
    #expect(installation.settings["authority.trustRoots"] == "")
    #expect(installation.state.withLockedValue { $0.asked.allSatisfy { $0.trustRoots == nil } })
  }

  @Test("a clock that is off by more than a few minutes is told, with the remedy")
  func clock() async throws {
    for (skew, isTold) in [(Duration.seconds(100), false), (.seconds(720), true), (.seconds(-720), true)] {
      let installation = Installation()
      installation.set { $0.skew = skew }
      let printed = try await installation.serving { try await $0.run(arguments: Self.complete) }
      #expect(printed.notes.contains("timedatectl set-ntp true") == isTold)
      if isTold { #expect(printed.notes.contains("12 minutes \(skew > .zero ? "ahead of" : "behind") the CA's")) }
    }
  }

  @Test("with --json the result is one object, and a secret is in it only when it was made now")
  func json() async throws {
    let installation = Installation()
    let outputs = try await installation.serving { connector in
      [try await connector.run(arguments: Self.complete + ["--json"]).output, try await connector.run("setup", "--json").output]
    }
    #expect(outputs[0].contains(#"{"kind":"device","name":"device","secret":"\#(try installation.secret(of: "device"))"}"#))
    #expect(outputs[1].contains(#"{"kind":"device","name":"device"}"#) && outputs[1].contains(#""changed":[]"#))
    #expect(outputs.allSatisfy { $0.split(separator: "\n").count == 1 })
  }
}
