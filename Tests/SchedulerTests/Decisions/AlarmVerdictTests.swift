import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("Which alarms stand for a certificate")
struct AlarmVerdictTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)
  private let failure = AttemptFailure(error: "nameUnreachable", text: "No answer.", name: dns("b.example.net"))

  /// Of a certificate for a hundred days, so many of which are left.
  private func verdict(_ outcome: SlotFacts.Outcome, left days: Int? = 50, _ change: (inout SlotFacts) -> Void = { _ in }) -> AlarmVerdict {
    var facts = SlotFacts(names: [dns("a.example.net"), dns("b.example.net")], outcome: outcome)
    facts.inUse = days.map { Validity(notBefore: now - .days(100 - $0), notAfter: now + .days($0)) }
    change(&facts)
    return AlarmVerdict(facts, at: now)
  }

  @Test("none, while all is well")
  func well() {
    #expect(verdict(.served).alarms.isEmpty)
    #expect(verdict(.underWay).alarms.isEmpty)
  }

  @Test("a failed order is one, with the name at fault, until there is a certificate")
  func failed() {
    let alarm = verdict(.failed(failure)).alarms.first
    #expect(alarm?.code == .nameUnreachable && alarm?.name == dns("b.example.net") && alarm?.text.contains("No answer.") == true)
    #expect(verdict(.underWay).keepsFailure)
    #expect(!verdict(.served).keepsFailure)
  }

  @Test("it becomes graver as the end comes near, and is grave without a certificate", arguments: [(21, 0), (20, 1), (11, 1), (10, 2), (0, 2)])
  func severity(left: Int, severity: Int) {
    #expect(verdict(.failed(failure), left: left).severity.number == severity)
    #expect(verdict(.failed(failure), left: nil).severity == .major)
  }

  @Test("it is looked at again when it may become graver")
  func review() {
    #expect(verdict(.failed(failure)).reviewAt == now + .days(30))
    #expect(verdict(.failed(failure), left: 15).reviewAt == now + .days(5))
    #expect(verdict(.failed(failure), left: 5).reviewAt == nil)
  }

  @Test("the CA's trouble is not the device's")
  func outage() {
    let verdict = verdict(.failed(AttemptFailure(error: "caUnavailable", text: "503")))
    #expect(verdict.alarms.isEmpty && verdict.keepsFailure)
  }

  @Test("to wait for a limit of the CA is one while there is no certificate, and when its end comes near")
  func limited() {
    let waiting = SlotFacts.Outcome.waiting(for: "the CA's limit", until: now + .days(1))
    #expect(verdict(waiting, left: nil).alarms.map(\.severity) == [.minor])
    #expect(verdict(waiting, left: 50).alarms.isEmpty)
    #expect(verdict(waiting, left: 5).alarms.map(\.code) == [.rateLimited])
    #expect(verdict(waiting, left: 5).alarms.map(\.severity) == [.major])
  }

  @Test("a device that stays away is none before its certificate is three days past due", arguments: [(2, false), (3, true)])
  func absent(days: Int, stands: Bool) {
    let codes = verdict(.served, left: 20) { $0.wantedSince = now - .days(days) }.alarms.map(\.code)
    #expect(codes == (stands ? [.deviceAbsent] : []))
  }

  @Test("a certificate that is not confirmed a day after its time is one, whose words say whether the device was there")
  func undelivered() {
    func code(_ hours: Int, wasOffered: Bool) -> AlarmCode? {
      verdict(.served) { $0.undelivered = .init(installAt: now - .seconds(3_600 * hours), wasOffered: wasOffered) }.alarms.first?.code
    }
    #expect(code(23, wasOffered: true) == nil)
    #expect(code(24, wasOffered: true) == .notInstalled)
    #expect(code(24, wasOffered: false) == .deviceAbsent)
  }
}
