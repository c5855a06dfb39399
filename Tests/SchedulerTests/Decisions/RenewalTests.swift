import ACMEClientAPI
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("When a certificate is renewed and its successor installed")
struct RenewalTests {
  private let start = Instant(milliseconds: 1_790_000_000_000)

  private func validity(days: Int) -> Validity { Validity(notBefore: start, notAfter: start + .days(days)) }

  @Test(
    "renewal begins renewDays before the end, at a third of the lifetime at most, at half of a short one",
    arguments: [(90, 30), (45, 15), (6, 3), (365, 30)])
  func lead(lifetime: Int, lead: Int) {
    #expect(validity(days: lifetime).renewalLead(renewDays: 30) == .days(lead))
  }

  @Test("the successor is installed installDays before the end, at most half the renewal lead")
  func installAt() {
    let long = validity(days: 90)
    #expect(long.successorInstallAt(dueAt: start + .days(60), installDays: 10, now: start + .days(60)) == start + .days(80))
    let short = validity(days: 45)
    #expect(short.successorInstallAt(dueAt: start + .days(30), installDays: 10, now: start + .days(30)) == start + .days(45) - .days(15) / 2)
  }

  @Test("the successor is installed at once when that time is over, or the old one is")
  func atOnce() {
    let long = validity(days: 90)
    #expect(long.successorInstallAt(dueAt: start + .days(60), installDays: 10, now: start + .days(85)) == start + .days(85))
    #expect(long.successorInstallAt(dueAt: start + .days(60), installDays: 10, now: start + .days(100)) == start + .days(100))
  }
}

@Suite("An equal CSR")
struct SubmissionTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)
  private let id = RequestID(rawValue: "r")

  private func submission(
    _ phase: RequestPhase, validUntilDays: Int? = 80, revoked: Bool = false, authority: String = "ca", force: Bool = false
  ) -> Submission {
    let certificate = validUntilDays.map { self.certificate(validUntilDays: $0, revoked: revoked, authority: authority) }
    return Submission(
      earlier: [.init(id: id, phase: phase, certificate: certificate)], standing: nil, force: force, authority: "ca", now: now)
  }

  /// A certificate that is due 30 days before its end.
  private func certificate(validUntilDays days: Int, revoked: Bool = false, authority: String = "ca") -> Submission.Certificate {
    let validity = Validity(notBefore: now - .days(10), notAfter: now + .days(days))
    return Submission.Certificate(validity: validity, dueAt: validity.notAfter - .days(30), isRevoked: revoked, authority: authority)
  }

  @Test("joins a request that is open, forced or not", arguments: [false, true])
  func open(force: Bool) {
    let failure = AttemptFailure(error: Problem.Word(rawValue: "x"), text: "")
    for phase in [RequestPhase.notDue(until: now), .awaitingApproval(dns("a.example.net")), .queued, .ordering, .failed(failure, again: now)] {
      #expect(submission(phase, validUntilDays: nil, force: force) == .joins(id))
    }
  }

  @Test("joins a certificate that is valid, not revoked, not due and from the current authority")
  func served() {
    #expect(submission(.ready) == .joins(id))
    #expect(submission(.installed) == .joins(id))
  }

  @Test("is a new request otherwise")
  func new() {
    #expect(submission(.installed, validUntilDays: 5) == .isNew, "due")
    #expect(submission(.installed, validUntilDays: -1) == .isNew, "expired")
    #expect(submission(.installed, revoked: true) == .isNew, "revoked")
    #expect(submission(.installed, authority: "another") == .isNew, "another authority")
    #expect(submission(.installed, force: true) == .isNew, "forced")
    #expect(submission(.superseded) == .isNew, "superseded")
    #expect(
      submission(.failed(AttemptFailure(error: Problem.Word(rawValue: "x"), text: "", isFinal: true), again: nil), validUntilDays: nil) == .isNew,
      "failed for good")
  }

  @Test("that is none of the known ones waits while the device has a certificate that serves")
  func early() {
    func submission(_ standing: Submission.Certificate?, force: Bool = false) -> Submission {
      Submission(earlier: [], standing: standing, force: force, authority: "ca", now: now)
    }
    #expect(submission(certificate(validUntilDays: 80)) == .isEarly(until: now + .days(50)))
    #expect(submission(certificate(validUntilDays: 80), force: true) == .isNew)
    #expect(submission(certificate(validUntilDays: 20)) == .isNew, "due")
    #expect(submission(certificate(validUntilDays: 80, revoked: true)) == .isNew)
    var foreign = certificate(validUntilDays: 80, authority: "another")
    #expect(submission(foreign) == .isEarly(until: now + .days(50)), "of another authority, until it is due")
    foreign.isForTrial = true
    #expect(submission(foreign) == .isNew, "which nobody trusts")
    var own = certificate(validUntilDays: 80)
    own.isForTrial = true
    #expect(submission(own) == .isEarly(until: now + .days(50)), "if that is the one to be tried")
    #expect(submission(nil) == .isNew)
  }
}
