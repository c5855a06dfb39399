import ArgumentParser
import FoundationEssentials
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import Testing
import Varlink

@testable import ACMEConnectorCommand

@Suite("Commands that ask the scheduler")
struct AdminCommandTests {
  private func admin(_ handlers: VarlinkHandler...) -> [String: VarlinkInterfaceHandlers] {
    ["admin.sock": VarlinkInterfaceHandlers(.admin, handlers)]
  }

  @Test("devices are a table for people")
  func devices() async throws {
    let handler = VarlinkHandler.list(AdminMethods.ListDevices.self) { _ in
      [try Samples.device("d1", key: "aa", name: "Gerät", names: ["a.example"]), try Samples.device("d2", key: "bb")]
    }
    let printed = try await TestConnector.serving(admin(handler)) { try await $0.run("devices") }
    #expect(
      printed.output == """
        DEVICE  SCOPE     KEY  NAME   TYPE   PRODUCT      ADDRESS    LAST SEEN                              NAMES
        d1      instance  aa   Gerät  LINUX  acme-device  192.0.2.1  2026-11-23T11:30:00Z (30 minutes ago)  a.example
        d2      instance  bb   -      LINUX  acme-device  192.0.2.1  2026-11-23T11:30:00Z (30 minutes ago)  -

        """)
  }

  @Test("retired devices are shown only to who asks for all")
  func retiredDevices() async throws {
    let handler = VarlinkHandler.list(AdminMethods.ListDevices.self) { _ in
      var retired = try Samples.device("d1", key: "aa")
      retired.retiredAt = Samples.seen
      return [retired, try Samples.device("d2", key: "bb")]
    }
    try await TestConnector.serving(admin(handler)) { connector in
      let some = try await connector.run("devices").output
      #expect(!some.contains("d1"))
      let all = try await connector.run("devices", "list", "--all").output.split(separator: "\n")
      #expect(all[1].hasPrefix("d1") && all[1].hasSuffix("2026-11-23T11:30:00Z (30 minutes ago)"))
      #expect(all[2].hasPrefix("d2") && all[2].hasSuffix("-"))
    }
  }

  @Test("of two devices with one name the retired one is meant only by who takes it back")
  func retire() async throws {
    let devices = VarlinkHandler.list(AdminMethods.ListDevices.self) { _ in
      var retired = try Samples.device("d1", key: "aa", name: "pbx")
      retired.retiredAt = Samples.seen
      return [retired, try Samples.device("d2", key: "bb", name: "pbx")]
    }
    let retire = VarlinkHandler.reply(AdminMethods.RetireDevice.self) { call, _ in .init(nameCount: call.device.rawValue == "d2" ? 1 : 0) }
    let reinstate = VarlinkHandler.reply(AdminMethods.ReinstateDevice.self) { call, _ in .init(nameCount: call.device.rawValue == "d1" ? 3 : 0) }
    try await TestConnector.serving(admin(devices, retire, reinstate)) { connector in
      let retired = try await connector.run("devices", "retire", "pbx").output
      #expect(retired == "Device d2 is retired; 1 name is free.\n")
      let back = try await connector.run("devices", "reinstate", "pbx").output
      #expect(back == "Device d1 is back; 3 names are its own.\n")
    }
  }

  @Test("a retired device may have its certificates revoked as well")
  func retireAndRevoke() async throws {
    let devices = VarlinkHandler.list(AdminMethods.ListDevices.self) { _ in [try Samples.device("d1", key: "aa")] }
    let retire = VarlinkHandler.reply(AdminMethods.RetireDevice.self) { _, _ in .init(nameCount: 0) }
    let revoke = VarlinkHandler.reply(AdminMethods.Revoke.self) { call, _ in
      .init(serials: ["\(call.device?.rawValue ?? "-") \(call.reason)"])
    }
    let printed = try await TestConnector.serving(admin(devices, retire, revoke)) { try await $0.run("devices", "retire", "aa", "--revoke") }
    #expect(printed.output == "Device d1 is retired; 0 names are free.\nRevoked: d1 cessationOfOperation.\n")
  }

  @Test("a certificate is revoked by its fingerprint as people write it, for a reason of RFC 5280")
  func revoke() async throws {
    let handler = VarlinkHandler.reply(AdminMethods.Revoke.self) { call, _ in
      #expect(call.reason == .keyCompromise && call.serial == nil && call.device == nil)
      return .init(serials: [String(call.fingerprint?.hex.prefix(6) ?? "-")])
    }
    let fingerprint = Array(repeating: "AB", count: 32).joined(separator: ":")
    let printed = try await TestConnector.serving(admin(handler)) {
      try await $0.run("revoke", "--fingerprint", fingerprint, "--reason", "keyCompromise", "--json")
    }
    #expect(printed.output == #"{"serials":["ababab"]}"# + "\n")
  }

  @Test("a device takes the place of another one")
  func replace() async throws {
    let devices = VarlinkHandler.list(AdminMethods.ListDevices.self) { [try Samples.device("id of \($0.called ?? "-")", key: $0.called ?? "")] }
    let replace = VarlinkHandler.reply(AdminMethods.ReplaceDevice.self) { call, _ in
      .init(nameCount: call.device.rawValue == "id of old" && call.successor.rawValue == "id of new" ? 2 : 0)
    }
    let printed = try await TestConnector.serving(admin(devices, replace)) { try await $0.run("devices", "replace", "old", "new", "--json") }
    #expect(printed.output == #"{"nameCount":2}"# + "\n")
  }

  @Test("a list of many parts is one to who asks for it")
  func manyParts() async throws {
    let ids = (1...450).map { "d\(1000 + $0)" }
    let handler = VarlinkHandler.list(AdminMethods.ListDevices.self) { call in
      try ids.filter { id in call.after.map { id > $0 } ?? true }.prefix(AdminMethods.ListDevices.lookAhead).map { try Samples.device($0, key: "k") }
    }
    let printed = try await TestConnector.serving(admin(handler)) { try await $0.run("devices") }
    #expect(printed.output.split(separator: "\n").dropFirst().map { String($0.prefix(5)) } == ids)
  }

  @Test("with --json the reply's members come as they are, on one line")
  func json() async throws {
    let handler = VarlinkHandler.list(AdminMethods.ListNames.self) { _ in
      [NameView(name: try Samples.name("a.example"), device: DeviceID(rawValue: "d1"), since: Instant(milliseconds: 5), claims: [])]
    }
    let printed = try await TestConnector.serving(admin(handler)) { try await $0.run("names", "--json") }
    #expect(printed.output == #"{"names":[{"claims":[],"device":"d1","name":"a.example","since":5}]}"# + "\n")
  }

  @Test("certificates show their end, their error, and the first three names")
  func certificates() async throws {
    let handler = VarlinkHandler.list(AdminMethods.ListCertificates.self) { parameters in
      #expect(parameters.all)
      return [try Samples.certificate("r1", state: .installed), try Samples.certificate("r2", state: .failed, error: "rateLimited")]
    }
    let printed = try await TestConnector.serving(admin(handler)) { try await $0.run("certificates", "--all") }
    let lines = printed.output.split(separator: "\n")
    #expect(lines[1].contains("2026-12-22T12:00:00Z (in 29 days)"))
    #expect(lines[1].hasSuffix("a.example, b.example, c.example and 1 more"))
    #expect(lines[2].contains("failed: rateLimited"))
  }

  @Test("a name is approved for the only device that waits for it")
  func approveOnlyClaimant() async throws {
    let approved = NIOLockedValueBox<DeviceID?>(nil)
    let list = names(waiting: ["d2"])
    let approve = VarlinkHandler.reply(AdminMethods.ApproveName.self) { parameters, _ in
      approved.withLockedValue { $0 = parameters.device }
      return NoMembers()
    }
    let printed = try await TestConnector.serving(admin(list, approve)) { try await $0.run("names", "approve", "A.example.") }
    #expect(approved.withLockedValue { $0?.rawValue } == "d2")
    #expect(printed.output == "a.example belongs to device d2 now.\n")
  }

  @Test("a name for which two devices wait is not given away by chance")
  func approveAmong() async throws {
    let list = names(waiting: ["d3", "d2"])
    let error = await #expect(throws: CommandError.self) {
      try await TestConnector.serving(admin(list)) { try await $0.run("names", "approve", "a.example") }
    }
    #expect(error?.description == "Several devices wait for a.example; say which one gets it with --device: d2, d3.")
  }

  private func names(waiting devices: [String]) -> VarlinkHandler {
    .list(AdminMethods.ListNames.self) { parameters in
      #expect(parameters.name?.value == "a.example")
      let claims = devices.map { NameClaim(device: DeviceID(rawValue: $0), request: RequestID(rawValue: "r"), since: Samples.seen) }
      return [NameView(name: try Samples.name("a.example"), device: DeviceID(rawValue: "d1"), since: Samples.seen, claims: claims)]
    }
  }

  @Test("a device may be named by its id, its key or its name, if only one has it", arguments: [("d1", "d1"), ("bb", "d2"), ("pbx", "d2")])
  func deviceReference(reference: String, id: String) async throws {
    let devices = VarlinkHandler.list(AdminMethods.ListDevices.self) { parameters in
      #expect(parameters.called == reference)
      return [try Samples.device(id, key: "bb", name: "pbx")]
    }
    let renew = VarlinkHandler.reply(AdminMethods.Renew.self) { parameters, _ in
      .init(requests: [RequestID(rawValue: "\(parameters.device, default: "-")")])
    }
    let printed = try await TestConnector.serving(admin(devices, renew)) { try await $0.run("renew", "--device", reference) }
    #expect(printed.output == "Queued: \(id).\n")
  }

  @Test("a name that two devices have is no device")
  func ambiguousDevice() async throws {
    let devices = VarlinkHandler.list(AdminMethods.ListDevices.self) { _ in
      [try Samples.device("d1", key: "aa", name: "pbx"), try Samples.device("d2", key: "bb", name: "pbx")]
    }
    await #expect(throws: CommandError.self) {
      try await TestConnector.serving(admin(devices)) { try await $0.run("events", "--device", "pbx") }
    }
  }

  @Test("a refusal reaches the administrator in the service's words")
  func refusal() async throws {
    let handler = VarlinkHandler.reply(AdminMethods.ChangeSetting.self) { _, _ in
      throw AdminMethods.Refused(error: "fixedSetting", text: "The value is fixed by /etc/acme-connector/settings.json.")
    }
    let error = await #expect(throws: CommandError.self) {
      try await TestConnector.serving(admin(handler)) { try await $0.run("settings", "set", "devices.renewDays", "20") }
    }
    #expect(error?.description == "The value is fixed by /etc/acme-connector/settings.json.")
  }

  @Test(
    "what is not there is named, with the command that shows what is",
    arguments: [
      ("request", "for nope.example", "There is no request for nope.example; `acme-connector certificates list --all` shows what there is."),
      ("device", "d1", "There is no device d1; `acme-connector devices` shows what there is."),
      ("claim", nil, "There is no claim; `acme-connector names` shows what there is."),
    ] as [(String, String?, String)])
  func missing(what: String, which: String?, sentence: String) async throws {
    let handler = VarlinkHandler.reply(AdminMethods.Renew.self) { _, _ in throw AdminMethods.NotFound(what: what, which: which) }
    let error = await #expect(throws: CommandError.self) {
      try await TestConnector.serving(admin(handler)) { try await $0.run("renew", "--name", "nope.example") }
    }
    #expect(error?.description == sentence)
  }

  @Test("a service that does not answer has a journal that says why")
  func unanswered() {
    let error = VarlinkError(.timedOut, method: "Status", peer: "/run/acme-connector/admin.sock", detail: "no answer within 30.0 seconds")
    #expect(
      CommandError(explaining: error).description
        == "scheduler gives no answer within 30.0 seconds. If it cannot start, its journal says why: "
        + "`journalctl -n 20 -u acme-connector-scheduler.service`.")
  }

  private static let account = AccountView(
    directory: "https://ca.example/directory", url: "https://ca.example/account/1", status: "valid", contact: ["mailto:a@a.example"], thumbprint: "tp"
  )

  @Test("the account is shown, and its new contact is stored before the CA is told")
  func account() async throws {
    let stored = NIOLockedValueBox("")
    let get = VarlinkHandler.reply(AdminMethods.GetAccount.self) { _, _ in Self.account }
    let change = VarlinkHandler.reply(AdminMethods.ChangeSetting.self) { parameters, _ in
      stored.withLockedValue { $0 = "\(parameters.key)=\(parameters.value ?? "")" }
      return .init(setting: SettingView(key: parameters.key, value: "", source: .stored, description: ""))
    }
    let update = VarlinkHandler.reply(AdminMethods.UpdateAccount.self) { _, _ in
      #expect(stored.withLockedValue { $0 } == "authority.contact=a@a.example,b@a.example")
      return Self.account
    }
    try await TestConnector.serving(admin(get, change, update)) { connector in
      let shown = try await connector.run("account")
      #expect(shown.output.contains("https://ca.example/account/1") && shown.output.contains("mailto:a@a.example"))
      let json = try await connector.run("account", "contact", "a@a.example", "b@a.example", "--json").output
      #expect(try JSONDecoder().decode(AccountView.self, from: Data(json.utf8)) == Self.account)
    }
  }

  @Test("an account is ended only when that is meant")
  func deactivation() async throws {
    let handler = VarlinkHandler.reply(AdminMethods.DeactivateAccount.self) { _, _ in Self.account }
    try await TestConnector.serving(admin(handler)) { connector in
      await #expect(throws: CommandError.self) { try await connector.run("account", "deactivate") }
      await #expect(throws: CommandError.self) { try await connector.run("account", "deactivate", answers: ["y"]) }
      for answers in [["yes"], nil] as [[String]?] {
        let arguments = ["account", "deactivate"] + (answers == nil ? ["--yes"] : [])
        let printed = try await connector.run(arguments: arguments, answers: answers)
        #expect(printed.output.contains("account/1"))
      }
    }
  }

  @Test("a value may begin with a dash, and is one value")
  func negativeValue() async throws {
    let handler = VarlinkHandler.reply(AdminMethods.ChangeSetting.self) { parameters, _ in
      throw AdminMethods.Refused(error: "badValue", text: "\(parameters.key) is \(parameters.value, default: "nothing").")
    }
    let error = await #expect(throws: CommandError.self) {
      try await TestConnector.serving(admin(handler)) { try await $0.run("settings", "set", "devices.renewDays", "-5", "--json") }
    }
    #expect(error?.description == "devices.renewDays is -5.")
    #expect(throws: (any Error).self) { try ACMEConnector.parseAsRoot(["settings", "set", "devices.renewDays", "1", "2"]) }
  }

  @Test("without a connector the error says where it was looked for")
  func noConnector() async throws {
    let error = await #expect(throws: CommandError.self) { try await TestConnector(directory: "/nonexistent").run("status") }
    #expect(error?.description == "There is no connector at /nonexistent/admin.sock; start it, or name its folder with --runtime.")
  }

  @Test(
    "contradictory options are wrong usage",
    arguments: [
      ["renew", "--request", "r", "--name", "a.example"], ["renew", "--force"], ["logins", "add", "x", "--scope", "domain"],
      ["events", "--limit", "0"], ["revoke"], ["revoke", "--serial", "1", "--device", "d"], ["revoke", "--serial", "1", "--reason", "bored"],
    ])
  func usage(arguments: [String]) {
    #expect(throws: (any Error).self) { try ACMEConnector.parseAsRoot(arguments) }
  }
}
