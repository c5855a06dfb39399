import PKI
import Testing

@testable import Scheduler

@Suite("How a due certificate gets its successor")
struct RenewalMachineTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)

  private func machine(_ stage: RenewalStage, connects: Bool = true) -> RenewalMachine {
    RenewalMachine(stage: stage, connects: connects, patience: .seconds(600))
  }

  @Test("its device is asked; once it was told, it has ten minutes, and no more when it comes back")
  func asked() {
    var machine = machine(.waiting)
    #expect(machine.handle(.due(open: false), at: now) == [.askDevice])
    #expect(machine.stage == .wanted(answerBy: nil), "a device that is not there is waited for")
    #expect(machine.handle(.deviceCame, at: now) == [.askDevice])
    #expect(machine.handle(.told, at: now).isEmpty)
    #expect(machine.handle(.deviceCame, at: now) == [.askDevice])
    _ = machine.handle(.told, at: now + .seconds(300))
    #expect(machine.stage == .wanted(answerBy: now + .seconds(600)))
    #expect(machine.handle(.requested, at: now).isEmpty)
    #expect(machine.stage == .ordered)
  }

  @Test("a device that declines, or does not answer, gets it from the CSR that it gave", arguments: [RenewalEvent.declined, .patienceOver])
  func again(event: RenewalEvent) {
    var machine = machine(.wanted(answerBy: now))
    #expect(machine.handle(event, at: now) == [.orderAgain])
    #expect(machine.stage == .ordered)
    #expect(machine.handle(event, at: now).isEmpty)
  }

  @Test("a device that never connects gets it from the CSR that an administrator gave")
  func administrators() {
    var machine = machine(.waiting, connects: false)
    #expect(machine.handle(.due(open: false), at: now) == [.orderAgain])
  }

  @Test("a CSR that is at work already will do")
  func open() {
    var machine = machine(.waiting)
    #expect(machine.handle(.due(open: true), at: now).isEmpty)
    #expect(machine.stage == .ordered)
    #expect(machine.handle(.deviceCame, at: now).isEmpty)
  }

  @Test("when the CSR at work cannot succeed, the device is asked for another; an administrator is not")
  func failed() {
    var machine = machine(.ordered)
    #expect(machine.handle(.failedForGood, at: now) == [.askDevice])
    #expect(machine.stage == .wanted(answerBy: nil))
    var administrators = self.machine(.ordered, connects: false)
    #expect(administrators.handle(.failedForGood, at: now).isEmpty)
  }

  @Test("where the key has become known nothing is ordered again: the device is asked until it hands in another CSR", arguments: [true, false])
  func otherKeyOnly(connects: Bool) {
    var machine = RenewalMachine(stage: .waiting, connects: connects, patience: .seconds(600), mayRepeat: false)
    #expect(machine.handle(.due(open: false), at: now) == [.askDevice])
    _ = machine.handle(.told, at: now)
    #expect(machine.handle(.patienceOver, at: now + .seconds(600)).isEmpty)
    #expect(machine.handle(.deviceCame, at: now) == [.askDevice])
    #expect(machine.handle(.declined, at: now).isEmpty)
    #expect(machine.stage == .wanted(answerBy: nil))
    _ = machine.handle(.requested, at: now)
    #expect(machine.handle(.failedForGood, at: now) == [.askDevice])
  }
}
