import ACMEClientAPI
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("Which alarms stand for a certificate")
struct AlarmVerdictTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)
  private let failure = AttemptFailure(error: .nameUnreachable, text: "No answer.", name: dns("b.example.net"))

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
    let verdict = verdict(.failed(AttemptFailure(error: .caUnavailable, text: "503")))
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

  @Test("an order under way, or a name that waits for approval, is none while there is time, nor in its first hour", arguments: [59, 60])
  func stalled(minutes: Int) {
    let since = now - .seconds(60 * minutes)
    for outcome in [SlotFacts.Outcome.ordering(since: since), .awaitingApproval(dns("b.example.net"), since: since)] {
      let early = verdict(outcome, left: 21)
      #expect(early.alarms.isEmpty && early.keepsFailure && early.reviewAt == now + .days(1))
      let late = verdict(outcome, left: 20)
      #expect(late.alarms.map(\.severity) == (minutes < 60 ? [] : [.indeterminate]))
      #expect(late.keepsFailure == late.alarms.isEmpty, "of two failures the latest stands")
      #expect(verdict(outcome, left: nil).alarms.isEmpty)
    }
  }

  @Test("a device that stays away is none before its certificate is three days past due", arguments: [(2, false), (3, true)])
  func absent(days: Int, stands: Bool) {
    let codes = verdict(.served, left: 20) { $0.wantedSince = now - .days(days) }.alarms.map(\.code)
    #expect(codes == (stands ? [.deviceAbsent] : []))
  }

  @Test("without a certificate that anybody trusts, a device that does not answer is one after an hour", arguments: [(59, false), (60, true)])
  func absentWithout(minutes: Int, stands: Bool) {
    let alarms = verdict(.served, left: nil) { $0.wantedSince = now - .seconds(60 * minutes) }.alarms
    #expect(alarms.map(\.code) == (stands ? [.deviceAbsent] : []) && alarms.allSatisfy { $0.severity == .major })
  }

  /// Of a certificate that should be in use since so many hours, by a device that was handed it before, and was there from when until when, hours ago.
  private func undelivered(_ hours: Int, wasDelivered: Bool = true, visit: ClosedRange<Int>? = nil) -> AlarmVerdict {
    func ago(_ hours: Int) -> Instant { now - .seconds(3_600 * hours) }
    return verdict(.served, left: 10) {
      $0.undelivered = .init(
        installAt: ago(hours), deliveredAt: wasDelivered ? ago(hours + 400) : nil, visit: visit.map { ago($0.upperBound)...ago($0.lowerBound) })
    }
  }

  @Test("a certificate that is not confirmed a day after its time by a device that is there is one")
  func notInstalled() {
    #expect(undelivered(23, visit: 0...500).alarms.isEmpty)
    #expect(undelivered(23, visit: 0...500).reviewAt == now + .seconds(3_600))
    #expect(undelivered(24, visit: 0...500).alarms.map(\.code) == [.notInstalled])
  }

  @Test("one that comes now and then confirms it when it comes: that is none before eight days, or when it has been there for a while")
  func weekly() {
    #expect(undelivered(7 * 24, visit: 8 * 24...9 * 24).alarms.isEmpty)
    #expect(undelivered(8 * 24, visit: 9 * 24...10 * 24).alarms.map(\.code) == [.deviceAbsent])
    let hasJustCome = undelivered(7 * 24, visit: 0...0)
    #expect(hasJustCome.alarms.isEmpty && hasJustCome.reviewAt == now + .seconds(1_800))
    #expect(undelivered(7 * 24, visit: 0...1).alarms.map(\.code) == [.notInstalled])
  }

  @Test("one that was not fetched is none before a quarter of the time that is left, three days at most")
  func notFetched() {
    #expect(undelivered(2 * 24, wasDelivered: false).alarms.isEmpty)
    #expect(undelivered(3 * 24, wasDelivered: false).alarms.map(\.code) == [.deviceAbsent])
  }
}
