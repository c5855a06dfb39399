import AppWebsocket
import PKI
import RawSocket
import SchedulerAPI
import Testing
import Varlink

@testable import DeviceGateway

@Suite("What devices ask for", .timeLimit(.minutes(1)))
struct DeviceTests {
  @Test("a device that only asks for a certificate gets it, tied together by src")
  func onlyRequest() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("001122334455")
      try await device.send(#"{"mt":"RequestCertificate","csr":"the CSR","src":"c1","api":"le","slot":"web","force":true}"#)
      let (answer, envelope) = try await device.message(RequestCertificateResult.self)
      #expect(answer.state == .queued)
      #expect(envelope.correlation == Correlation(src: "c1", api: "le"))
      let submitted = gateway.scheduler.with { $0.submissions.first }
      #expect(submitted?.csr == "the CSR" && submitted?.slot == "web" && submitted?.force == true)
      #expect(submitted?.trace != nil)

      let id = FakeScheduler.id(.init(scope: "instance", sip: "001122334455"))
      gateway.scheduler.tell(id, RequestView(id: .init(rawValue: answer.id.value), slot: "web", state: .challenging, name: DNSName("a.example")))
      let (state, _) = try await device.message(CertificateState.self)
      #expect(state.state == .challenging && state.dns == DNSName("a.example"))
      gateway.scheduler.tell(id, .ready(answer.id.value))
      let (ready, again) = try await device.message(CertificateReady.self)
      #expect(ready.id == answer.id && ready.installAt == Instant(milliseconds: 2))
      #expect(again.correlation == Correlation(src: "c1", api: "le"))

      try await device.send(CertificateInstalled(id: ready.id, fingerprint: ready.fingerprint).text)
      _ = try await device.message(CertificateInstalledResult.self)
      #expect(gateway.scheduler.with { $0.receipts.first?.fingerprint } == ready.fingerprint)
    }
  }

  @Test("that a certificate was written to its device the scheduler is told, be it news or an answer", arguments: [true, false])
  func delivered(isNews: Bool) async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("a")
      try await device.send(RequestCertificate(csr: "x").text)
      let id = try await device.message(RequestCertificateResult.self).message.id
      #expect(gateway.scheduler.with(\.deliveries).isEmpty)
      let owner = FakeScheduler.id(.init(scope: "instance", sip: "a"))
      if isNews {
        gateway.scheduler.tell(owner, .ready(id.value))
        _ = try await device.message(CertificateReady.self)
      } else {
        try await device.send(#"{"mt":"GetCertificate","id":"\#(id.value)"}"#)
        _ = try await device.message(GetCertificateResult.self)
      }
      try await eventually("it is told") { !gateway.scheduler.with(\.deliveries).isEmpty }
      let told = gateway.scheduler.with { $0.deliveries.map { [$0.device.rawValue, $0.request.rawValue] } }
      #expect(told == [[owner.rawValue, id.value]])
    }
  }

  @Test("the scheduler is told who stays, now and then, and who leaves")
  func attendance() async throws {
    try await TestGateway.run(attendancePause: .milliseconds(10)) { gateway in
      let (stays, leaves) = (try await gateway.device("stays"), try await gateway.device("leaves"))
      let ids = ["stays", "leaves"].map { FakeScheduler.id(.init(scope: "instance", sip: $0)) }
      try await eventually("both are told") { gateway.scheduler.with { $0.connected.contains { Set($0) == Set(ids) } } }
      gateway.scheduler.with { $0.connected = [] }
      leaves.socket.close()
      try await eventually("one has left") { gateway.scheduler.with { $0.connected.contains([ids[1]]) } }
      gateway.scheduler.with { $0.connected = [] }
      try await eventually("the other is there") { gateway.scheduler.with { $0.connected.contains([ids[0]]) } }
      stays.socket.close()
    }
  }

  @Test("a failure reaches the device in the words of the protocol")
  func failure() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("a")
      try await device.send(RequestCertificate(csr: "x").text)
      let id = try await device.message(RequestCertificateResult.self).message.id
      var request = RequestView(id: .init(rawValue: id.value), slot: "default", state: .failed)
      request.failure = RequestFailure(error: "challengeFailed", text: "a.example does not answer.", retryAfter: 60, final: false)
      gateway.scheduler.tell(FakeScheduler.id(.init(scope: "instance", sip: "a")), request)
      let failed = try await device.message(CertificateFailed.self).message
      #expect(failed.error == .challengeFailed && failed.retryAfterSec == 60 && !failed.final)
    }
  }

  private func registered(at gateway: TestGateway) async throws -> (TestDevice, DeviceID) {
    let device = try await gateway.device("a")
    try await device.send(RegisterDevice(hwId: nil, type: .linux).text)
    _ = try await device.message(RegisterDeviceResult.self)
    return (device, FakeScheduler.id(.init(scope: "instance", sip: "a")))
  }

  @Test("a wish for a new CSR reaches the device, and that it was told, and its answer, the scheduler")
  func renewal() async throws {
    try await TestGateway.run { gateway in
      let (device, id) = try await registered(at: gateway)
      let name = try #require(DNSName("a.example"))
      gateway.scheduler.wish(
        RenewalWish(slot: "web", names: [name], reason: .keyCompromise, newKey: true, deadline: Instant(milliseconds: 7)), from: id)
      let wish = try await device.message(RenewCertificate.self).message
      #expect(wish.slot.value == "web" && wish.dnsNames == [name] && wish.reason == .keyCompromise && wish.newKey)
      #expect(wish.deadline == Instant(milliseconds: 7))
      try await device.send(RenewCertificateResult(slot: wish.slot, accepted: false, error: .busy).text)
      try await eventually("both are told") { gateway.scheduler.with { $0.answers.map(\.answer) } == [.told, .declined] }
      #expect(gateway.scheduler.with { $0.answers.allSatisfy { $0.slot == "web" && $0.device == id } })
    }
  }

  @Test("an alarm reaches the device, and its end")
  func alarm() async throws {
    try await TestGateway.run { gateway in
      let (device, id) = try await registered(at: gateway)
      let name = try #require(DNSName("a.example"))
      for over in [false, true] {
        let alarm = DeviceAlarm(code: .nameUnreachable, severity: .major, text: "a.example does not answer.", name: name, over: over)
        gateway.scheduler.raise(alarm, of: id)
      }
      let added = try await device.message(AlarmAdded.self).message
      #expect(added.code.value == AlarmCode.nameUnreachable.number && added.severity == 2)
      #expect(added.sentence == "a.example does not answer." && added.dns == name)
      #expect(try await device.message(AlarmCleared.self).message.sentence == "a.example does not answer.")
    }
  }

  @Test("the scheduler's refusal is the answer")
  func refusal() async throws {
    try await TestGateway.run { gateway in
      gateway.scheduler.with { $0.refusal = .init(error: "tooManyNames", text: "There are 101 names.") }
      let device = try await gateway.device("a")
      try await device.send(#"{"mt":"RequestCertificate","csr":"x","src":"7"}"#)
      let envelope = try await device.answer(RequestCertificate.name.result)
      #expect(Refusal(envelope) == Refusal(of: RequestCertificate.name, .tooManyNames, "There are 101 names."))
      #expect(envelope.correlation == Correlation(src: "7"))
    }
  }

  @Test("a device of a version that is none is refused, and one of a later version is answered in the version that is spoken")
  func versions() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("a")
      try await device.send(#"{"mt":"RegisterDevice","protocol":0}"#)
      #expect(Refusal(try await device.answer(RegisterDevice.name.result))?.error == .badMessage)
      try await device.send(#"{"mt":"RegisterDevice","protocol":2}"#)
      #expect(try await device.message(RegisterDeviceResult.self).message.protocol == 1)
    }
  }

  @Test("a device that registers is told the settings, the pin, and later their change")
  func registration() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("a")
      try await device.send(#"{"mt":"RegisterDevice","protocol":1,"hwId":"009033460af2","roles":["pbx"],"src":"r"}"#)
      let told = try await device.message(RegisterDeviceResult.self).message
      #expect(told.renewDays == 30 && told.maxDnsNames == 100)
      #expect(told.rootsUrl == nil)
      #expect(gateway.scheduler.with { $0.registrations.contains { $0.description?.roles == ["pbx"] } })
      #expect(gateway.scheduler.with { $0.registrations.last?.identity.hardwareID } == "009033460af2")

      gateway.scheduler.change(DeviceSettings(renewDays: 20, installDays: 5, maxDnsNames: 50))
      let (updated, envelope) = try await device.message(DeviceSettingsUpdated.self)
      #expect(updated.settings.renewDays == 20 && updated.settings.pin == told.pin)
      #expect(envelope.correlation == Correlation(src: "r"))
    }
  }

  @Test("a request is asked for by id, and one that is not there is not found")
  func resume() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("a")
      try await device.send(#"{"mt":"GetCertificate","id":"request-9"}"#)
      let found = try await device.message(GetCertificateResult.self).message
      guard case .ready(let ready) = found.outcome else { throw NoCertificate() }
      #expect(ready.id.value == "request-9")
      try await device.send(#"{"mt":"GetCertificate","id":"unknown"}"#)
      #expect(Refusal(try await device.answer(GetCertificate.name.result))?.error == .notFound)
    }
  }

  struct NoCertificate: Error {}

  @Test("what was ready while a device was away reaches it when it comes back")
  func reconnect() async throws {
    try await TestGateway.run { gateway in
      let first = try await gateway.device("away")
      first.socket.close()
      gateway.scheduler.with { $0.undelivered[FakeScheduler.id(.init(scope: "instance", sip: "away"))] = [.ready("kept")] }
      let second = try await gateway.device("away")
      #expect(try await second.message(CertificateReady.self).message.id.value == "kept")
    }
  }

  @Test("of two connections of one device the newest stays")
  func newestWins() async throws {
    try await TestGateway.run { gateway in
      let older = try await gateway.device("twin")
      try await eventually("the first is registered") { gateway.scheduler.with { $0.registrations.count >= 1 } }
      let newer = try await gateway.device("twin")
      #expect(try await older.closeReason() == CloseCode.replaced)
      gateway.scheduler.tell(FakeScheduler.id(.init(scope: "instance", sip: "twin")), .ready("mine"))
      #expect(try await newer.message(CertificateReady.self).message.id.value == "mine")
    }
  }

  @Test("when the scheduler's stream ends, all devices are registered again and miss nothing")
  func watchRestart() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("patient")
      try await eventually("it is registered") { gateway.scheduler.with { $0.registrations.count >= 1 } }
      gateway.scheduler.with { $0.undelivered[FakeScheduler.id(.init(scope: "instance", sip: "patient"))] = [.ready("kept")] }
      gateway.scheduler.resync()
      #expect(try await device.message(CertificateReady.self).message.id.value == "kept")
    }
  }

  @Test("a device that comes before the scheduler is registered when it is there")
  func schedulerComesLater() async throws {
    try await TestGateway.run(withScheduler: false) { gateway in
      let device = try await gateway.device("early")
      gateway.scheduler.with { $0.undelivered[FakeScheduler.id(.init(scope: "instance", sip: "early"))] = [.ready("kept")] }
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await gateway.scheduler.server(at: "\(gateway.folder.path)/scheduler.sock").run() }
        let ready = try await device.message(CertificateReady.self).message
        #expect(ready.id.value == "kept")
        tasks.cancelAll()
      }
    }
  }

  @Test("an unknown message is answered as such; an unknown indication is not answered")
  func unknown() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("a")
      try await device.send(#"{"mt":"SomethingAdded","value":"x"}"#)
      try await device.send(#"{"mt":"PbxInfo","apis":["PbxSignal"]}"#)
      try await device.send(#"{"mt":"OrderPizza","src":"p","topping":"none"}"#)
      let frame = try await device.receive()
      let envelope = try Envelope(frame?.text ?? "")
      #expect(envelope.name.description == "OrderPizzaResult")
      #expect(Refusal(envelope)?.error == .unknownMessage)
    }
  }

  @Test("more requests at once than may wait are told to come later")
  func busy() async throws {
    var limits = DoorLimits()
    limits.waitingRequests = 0
    try await TestGateway.run(limits: limits, withScheduler: false) { gateway in
      // Its registration waits for a scheduler that is not there.
      let device = try await gateway.device("a")
      try await device.send(RequestCertificate(csr: "x").text)
      #expect(Refusal(try await device.answer(RequestCertificate.name.result))?.error == .busy)
    }
  }
}
