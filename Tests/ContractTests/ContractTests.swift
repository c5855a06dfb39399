import ACMEClientAPI
import DeviceGatewayAPI
import ForeignPython
import FoundationEssentials
import MetricsAPI
import ResponderAPI
import SchedulerAPI
import Testing
import Varlink
import VarlinkContract

@Suite("The interface texts and the Swift types are one")
struct ContractTests {
  /// What the checked types take as their text, by the name of the member.
  private static let texts = [
    "csrHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "dnsNames": "phone.example.com",
    "fingerprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "keyAuthorization": "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ",
    "name": "phone.example.com",
    "nameSuffixes": "example.com",
    "names": "phone.example.com",
    "pin": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "replaces": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "suffix": "example.com",
    "token": "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA",
    "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "trustedProxies": "192.0.2.80/28",
  ]

  @Test("org.acmeconnector.ACMEClient")
  func acmeClient() {
    let contract = Contract(
      .acmeClient,
      methods: [
        ACMEClient.Issue.self, ACMEClient.Release.self, ACMEClient.ListOrders.self, ACMEClient.DescribeAuthority.self, ACMEClient.GetAccount.self,
        ACMEClient.UpdateAccount.self, ACMEClient.ChangeAccountKey.self, ACMEClient.DeactivateAccount.self, ACMEClient.GetRenewalInfo.self,
        ACMEClient.Revoke.self, ACMEClient.Observe.self, ACMEClient.Diagnose.self,
      ], texts: Self.texts)
    #expect(contract.violations() == [])
  }

  @Test("org.acmeconnector.Responder")
  func responder() {
    let contract = Contract(
      .responder, methods: [Responder.Foresee.self, Responder.Publish.self, Responder.Withdraw.self], texts: Self.texts)
    #expect(contract.violations() == [])
  }

  @Test("org.acmeconnector.Challenges")
  func challenges() {
    #expect(Contract(.challenges, methods: [Challenges.Lookup.self, Challenges.List.self], texts: Self.texts).violations() == [])
  }

  @Test("org.acmeconnector.Scheduler")
  func scheduler() {
    let contract = Contract(
      .scheduler,
      methods: [
        SchedulerMethods.Register.self, SchedulerMethods.Submit.self, SchedulerMethods.Resume.self, SchedulerMethods.Delivered.self,
        SchedulerMethods.Installed.self,
        SchedulerMethods.AnswerRenewal.self, SchedulerMethods.LookAgain.self, SchedulerMethods.NoteRefusedLogins.self,
        SchedulerMethods.NoteConnected.self, SchedulerMethods.Watch.self,
      ], texts: Self.texts)
    #expect(contract.violations() == [])
  }

  @Test("org.acmeconnector.Admin")
  func admin() {
    let contract = Contract(
      .admin,
      methods: [
        AdminMethods.Status.self, AdminMethods.ListDevices.self, AdminMethods.RetireDevice.self, AdminMethods.ReinstateDevice.self,
        AdminMethods.ReplaceDevice.self, AdminMethods.ListNames.self, AdminMethods.ApproveName.self,
        AdminMethods.ListCertificates.self, AdminMethods.GetChain.self, AdminMethods.Revoke.self, AdminMethods.ListAlarms.self,
        AdminMethods.Plan.self,
        AdminMethods.ListEvents.self, AdminMethods.Renew.self, AdminMethods.BeginCampaign.self, AdminMethods.EndCampaign.self,
        AdminMethods.ListCampaigns.self,
        AdminMethods.Request.self, AdminMethods.ListSettings.self,
        AdminMethods.ChangeSetting.self, AdminMethods.DescribeAuthority.self, AdminMethods.GetAccount.self,
        AdminMethods.UpdateAccount.self, AdminMethods.ChangeAccountKey.self, AdminMethods.DeactivateAccount.self, AdminMethods.ListTraces.self,
        AdminMethods.SetTrace.self, AdminMethods.Diagnose.self,
      ], texts: Self.texts)
    #expect(contract.violations() == [])
  }

  @Test("org.acmeconnector.Logins")
  func logins() {
    let contract = Contract(
      .logins, methods: [Logins.List.self, Logins.Add.self, Logins.Rotate.self, Logins.Remove.self, Logins.Describe.self], texts: Self.texts)
    #expect(contract.violations() == [])
  }

  @Test("org.acmeconnector.Metrics")
  func metrics() {
    #expect(Contract(.metrics, methods: [Metrics.Read.self], texts: Self.texts).violations() == [])
  }

  @Test("a parser of other people reads every interface text, and finds what ours finds")
  func foreignParser() async throws {
    let shared = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Shared").standardized.path()
    let files = try FileManager.default.subpathsOfDirectory(atPath: shared).filter { $0.hasSuffix(".varlink") }
    #expect(files.count == 8)
    for file in files {
      let path = shared + "/" + file
      let interface = try InterfaceGrammar(String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self))
      let found = try await ForeignPython.run("varlink-parse.py", path)
      #expect(found == "\(interface.name) \(interface.types.count + interface.methods.count + interface.errors.count)\n")
    }
  }
}
