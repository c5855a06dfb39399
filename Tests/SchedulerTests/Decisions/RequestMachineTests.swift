import ACMEClientAPI
import PKI
import Testing

@testable import Scheduler

@Suite("A request's life")
struct RequestMachineTests {
  private let now = Instant(milliseconds: 1_000_000)
  private let unreachable = AttemptFailure(error: .nameUnreachable, text: "")

  private func machine(_ phase: RequestPhase, failures: Int = 0) -> RequestMachine { RequestMachine(phase: phase, failures: failures) }

  @Test("a request goes from the queue to the installed certificate")
  func wholeLife() {
    var machine = RequestMachine(awaiting: nil)
    #expect(machine.phase == .queued)
    #expect(machine.handle(.orderBegan, at: now).isEmpty)
    #expect(machine.handle(.issued, at: now) == [.deliver, .supersedeUndelivered])
    #expect(machine.phase == .ready)
    #expect(machine.handle(.installed, at: now) == [.supersedeOlder])
    #expect(machine.phase == .installed)
  }

  @Test("a request with a name of another device waits until it is granted")
  func approval() {
    var machine = RequestMachine(awaiting: dns("a.example.net"))
    #expect(machine.handle(.orderBegan, at: now).isEmpty)
    #expect(machine.phase == .awaitingApproval(dns("a.example.net")))
    #expect(machine.handle(.namesGranted, at: now) == [.order])
    #expect(machine.phase == .queued)
  }

  @Test("a failed order is tried again after its pause, a final one is not")
  func failures() {
    var machine = machine(.ordering)
    #expect(machine.handle(.failed(unreachable, jitter: 0), at: now) == [.order])
    #expect(machine.phase == .failed(unreachable, again: now + .seconds(60)))
    #expect(machine.failures == 1)
    #expect(machine.handle(.triedAgain, at: now) == [.order])

    var final = unreachable
    final.isFinal = true
    var last = self.machine(.ordering, failures: 1)
    #expect(last.handle(.failed(final, jitter: 0), at: now).isEmpty)
    #expect(last.phase == .failed(final, again: nil))
    #expect(!last.phase.isOpen)
  }

  @Test("a name that cannot be answered for yet is looked at every five minutes, and costs nothing")
  func waitingForName() {
    let notReady = AttemptFailure(error: .nameNotReady, text: "")
    var machine = machine(.ordering, failures: 2)
    for _ in 0..<20 {
      #expect(machine.handle(.failed(notReady, jitter: 1), at: now) == [.order])
      #expect(machine.phase == .waitingForName(notReady, again: now + .seconds(300)) && machine.phase.isOpen)
      #expect(machine.handle(.triedAgain, at: now) == [.order])
      _ = machine.handle(.orderBegan, at: now)
    }
    #expect(machine.failures == 2 && machine.outages == 0)
    _ = machine.handle(.failed(unreachable, jitter: 0), at: now)
    #expect(machine.phase == .failed(unreachable, again: now + .seconds(6_000)))
  }

  @Test("an outage of the CA does not count against the request")
  func outage() {
    let outage = AttemptFailure(error: .caUnavailable, text: "")
    var machine = machine(.ordering)
    for _ in 0..<20 {
      _ = machine.handle(.failed(outage, jitter: 0), at: now)
      _ = machine.handle(.triedAgain, at: now)
      _ = machine.handle(.orderBegan, at: now)
    }
    _ = machine.handle(.failed(unreachable, jitter: 0), at: now)
    #expect(machine.phase == .failed(unreachable, again: now + .seconds(60)))
  }

  @Test("who ends a pause by hand begins the pauses anew")
  func renewed() {
    var machine = machine(.failed(unreachable, again: now + .days(1)), failures: 4)
    #expect(machine.handle(.renewed, at: now) == [.order])
    #expect(machine.phase == .queued)
    #expect(machine.failures == 0)
  }

  @Test("a success forgets the failures before it")
  func success() {
    var machine = machine(.ordering, failures: 3)
    _ = machine.handle(.issued, at: now)
    #expect(machine.failures == 0)
  }

  @Test("an order under way is stopped when a newer request takes its place, and a late answer changes nothing")
  func superseded() {
    var machine = machine(.ordering)
    #expect(machine.handle(.superseded, at: now) == [.stopOrder])
    #expect(machine.handle(.issued, at: now).isEmpty)
    #expect(machine.handle(.failed(unreachable, jitter: 0), at: now).isEmpty)
    #expect(machine.handle(.installed, at: now).isEmpty)
    #expect(machine.phase == .superseded)
  }

  @Test("a CSR that may not be ordered any more is not, wherever its request waits")
  func refused() {
    let name = dns("a.example.net")
    let waiting: [RequestPhase] = [
      .awaitingApproval(name), .notDue(until: now), .queued, .waitingForName(unreachable, again: now), .failed(unreachable, again: now), .ordering,
    ]
    for phase in waiting {
      var machine = machine(phase)
      _ = machine.handle(.refused(unreachable), at: now)
      #expect(machine.phase == .failed(unreachable, again: nil))
    }
  }

  @Test("a repeated receipt changes nothing")
  func repeatedReceipt() {
    var machine = machine(.installed)
    #expect(machine.handle(.installed, at: now).isEmpty)
    #expect(machine.phase == .installed)
  }

  @Test("an order that was begun is taken up as begun")
  func takenUp() {
    var machine = machine(.ordering)
    #expect(machine.handle(.orderBegan, at: now).isEmpty)
    #expect(machine.phase == .ordering)
  }

  @Test("a name that goes to another device takes waiting requests with it, not issued certificates")
  func nameTaken() {
    let name = dns("a.example.net")
    for phase in [RequestPhase.queued, .failed(unreachable, again: now), .waitingForName(unreachable, again: now)] {
      var machine = machine(phase)
      _ = machine.handle(.nameTaken(name), at: now)
      #expect(machine.phase == .awaitingApproval(name))
    }
    var machine = machine(.ready)
    _ = machine.handle(.nameTaken(name), at: now)
    #expect(machine.phase == .ready)
  }
}

@Suite("The pause after a failure")
struct RetryPauseTests {
  private let now = Instant(milliseconds: 1_000_000)

  @Test("grows from a minute to a day", arguments: [(1, 60), (2, 600), (3, 6_000), (4, 86_400), (9, 86_400)])
  func growing(failures: Int, seconds: Int) {
    let end = RetryPause.end(after: AttemptFailure(error: Problem.Word(rawValue: "x"), text: ""), failures: failures, jitter: 0, now: now)
    #expect(end == now + .seconds(seconds))
  }

  @Test("is what the CA asks for, if it asks", arguments: [1, 4, 9])
  func retryAfter(failures: Int) {
    let failure = AttemptFailure(error: .rateLimited, text: "", retryAfter: 7_200)
    #expect(RetryPause.end(after: failure, failures: failures, jitter: 0, now: now) == now + .seconds(7_200))
  }

  @Test("is never drawn out for ever by a mistaken Retry-After, nor made a loop", arguments: [(Int.max, 7 * 86_400), (0, 60), (1, 60), (-5, 60)])
  func bounded(asked: Int, seconds: Int) {
    let failure = AttemptFailure(error: .rateLimited, text: "", retryAfter: asked)
    #expect(RetryPause.end(after: failure, failures: 1, jitter: 0, now: now) == now + .seconds(seconds))
  }

  @Test("is drawn out by chance, up to a quarter and an hour at most")
  func jitter() {
    let failure = AttemptFailure(error: Problem.Word(rawValue: "x"), text: "")
    #expect(RetryPause.end(after: failure, failures: 1, jitter: 1, now: now) == now + .seconds(75))
    #expect(RetryPause.end(after: failure, failures: 4, jitter: 1, now: now) == now + .seconds(90_000))
  }

  @Test("ends within the hour where the request is not at fault", arguments: [Problem.Word.caUnavailable, .internalError])
  func outage(error: Problem.Word) {
    let failure = AttemptFailure(error: error, text: "")
    let ends = [1, 2, 3, 50].map { RetryPause.end(after: failure, failures: $0, jitter: 0, now: now) }
    #expect(ends == [60, 600, 3_600, 3_600].map { now + .seconds($0) })
  }

  @Test("ends after six hours at the latest where the request is not at fault, whatever the CA asks for")
  func longOutage() {
    let failure = AttemptFailure(error: .caUnavailable, text: "", retryAfter: 31_536_000)
    #expect(RetryPause.end(after: failure, failures: 1, jitter: 0, now: now) == now + .seconds(21_600))
  }

  @Test("has no end when the same CSR cannot succeed")
  func final() {
    #expect(
      RetryPause.end(after: AttemptFailure(error: Problem.Word(rawValue: "x"), text: "", isFinal: true), failures: 1, jitter: 0, now: now) == nil)
  }
}
