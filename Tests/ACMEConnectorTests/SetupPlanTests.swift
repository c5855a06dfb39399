import PKI
import SchedulerAPI
import Testing

@testable import ACMEConnectorCommand

@Suite("What the setup stores")
struct SetupPlanTests {
  private let directory = "https://ca.example/directory"

  private func settings(_ values: [String: String], from source: SettingSource = .stored) -> StoredSettings {
    StoredSettings(values.map { SettingView(key: $0.key, value: $0.value, source: source, description: "") })
  }

  private func plan(_ wishes: SetupWishes, hasTerms: Bool = true, _ settings: StoredSettings) throws -> [String] {
    let description = AdminMethods.DescribeAuthority.Reply(
      directory: directory, termsOfService: hasTerms ? "https://ca.example/terms" : nil, externalAccountRequired: false)
    let check = AuthorityCheck(of: "https://ca.example", description, at: TestConnector.now)
    return try SetupPlan(wishes, for: check, settings: settings).changes.map { "\($0.key)=\($0.value)" }
  }

  private func all(contact: [String]? = ["a@example.com"], names: [String]? = ["gw.example.com"]) throws -> SetupWishes {
    SetupWishes(
      authority: AuthorityName(argument: directory), trustRoots: "", contact: contact, agreesToTerms: true,
      gatewayNames: try names?.map(Samples.name))
  }

  @Test("the CA before the consent to its terms, and the gateway's names last")
  func order() throws {
    #expect(
      try plan(all(), settings([:])) == [
        "authority.contact=a@example.com", "authority.directory=\(directory)", "authority.termsAgreed=true", "gateway.names=gw.example.com",
      ])
  }

  @Test("done again it changes nothing, and what is not said stays")
  func again() throws {
    let done = settings([
      "authority.contact": "a@example.com", "authority.directory": "https://ca.example/directory/", "authority.termsAgreed": "true",
      "gateway.names": "gw.example.com", "authority.trustRoots": "",
    ])
    #expect(try plan(all(), done) == [])
    #expect(try plan(SetupWishes(), done) == [])
    #expect(try plan(all(contact: []), done) == ["authority.contact="])
    let byParent = settings(["authority.directory": "https://ca.example", "authority.termsAgreed": "true"])
    #expect(try plan(all(contact: nil, names: nil), byParent) == [], "the URL of the parent is the same CA")
  }

  @Test("another CA gets no consent that was given to the first, not even for a moment")
  func otherAuthority() throws {
    let first = settings(["authority.directory": "https://first.example", "authority.termsAgreed": "true"])
    #expect(throws: CommandError.self) { try plan(SetupWishes(), first) }
    #expect(
      try plan(all(contact: nil, names: nil), first) == [
        "authority.termsAgreed=false", "authority.directory=\(directory)", "authority.termsAgreed=true",
      ])
    #expect(try plan(all(), first).first == "authority.contact=a@example.com", "an address that is refused has changed nothing")
    #expect(try plan(SetupWishes(), hasTerms: false, first) == ["authority.termsAgreed=false", "authority.directory=\(directory)"])
  }

  @Test("what is fixed elsewhere is an error if it would have to change, and left alone if not")
  func fixed() throws {
    let same = settings(["authority.directory": directory, "authority.termsAgreed": "true"], from: .environment)
    #expect(try plan(all(contact: nil, names: nil), same) == [])
    let other = settings(["authority.directory": "https://first.example", "authority.termsAgreed": "true"], from: .file)
    #expect(throws: CommandError.self) { try plan(all(), other) }
  }

  private static let authorities: [(String, String?)] = [
    ("letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"),
    ("LetsEncrypt-Staging", "https://acme-staging-v02.api.letsencrypt.org/directory"), ("https://ca.example", "https://ca.example"),
    ("http://ca.example", nil), ("somebody", nil), ("", nil),
  ]

  @Test("a CA is named by a word or an https URL", arguments: authorities)
  func authorityNames(text: String, directory: String?) {
    #expect(AuthorityName(argument: text)?.directory == directory)
  }
}
