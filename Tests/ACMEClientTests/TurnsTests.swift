import PKI
import Testing

@testable import ACMEClient

@Suite("Whose turn it is")
struct TurnsTests {
  let now = ContinuousClock.now
  let set = NameSet(account: CA.url("account/1"), names: [CA.name("a.example")])
  let other = NameSet(account: CA.url("account/1"), names: [CA.name("b.example")])

  @Test("requests for one set of names take turns, others do not wait")
  func oneAtATime() {
    var turns = Turns(open: [], now: now)
    let (first, second, third) = (turns.enter("1", set), turns.enter("2", set), turns.enter("3", other))
    #expect(turns.admit(now: now) == [first, third])
    turns.leave(first, isOpen: false, now: now)
    #expect(turns.admit(now: now) == [second])
  }

  @Test("a second call for the same request waits until the first has wound down")
  func sameRequest() {
    var turns = Turns(open: [], now: now)
    let (first, second) = (turns.enter("1", set), turns.enter("1", other))
    #expect(turns.admit(now: now) == [first])
    turns.leave(first, isOpen: true, now: now)
    #expect(turns.admit(now: now) == [second])
  }

  @Test("a request with an order on disk comes before the others of its set")
  func ownerFirst() {
    var turns = Turns(open: [("1", set)], now: now)
    let second = turns.enter("2", set)
    #expect(turns.admit(now: now).isEmpty)
    let first = turns.enter("1", set)
    #expect(turns.admit(now: now) == [first])
    turns.leave(first, isOpen: false, now: now)
    #expect(turns.admit(now: now) == [second])
  }

  @Test("an order on disk that nobody calls for does not block for ever")
  func patienceEnds() {
    var turns = Turns(open: [("1", set)], now: now)
    let second = turns.enter("2", set)
    #expect(turns.admit(now: now + Turns.patience - .milliseconds(1)).isEmpty)
    #expect(turns.admit(now: now + Turns.patience) == [second])
  }

  @Test("a request that was interrupted keeps its place for a while")
  func interrupted() {
    var turns = Turns(open: [], now: now)
    let (first, second) = (turns.enter("1", set), turns.enter("2", set))
    _ = turns.admit(now: now)
    turns.leave(first, isOpen: true, now: now)
    #expect(turns.admit(now: now).isEmpty)
    let again = turns.enter("1", set)
    #expect(turns.admit(now: now) == [again])
    turns.leave(again, isOpen: false, now: now)
    #expect(turns.admit(now: now) == [second])
  }

  @Test("a request that is released is waited for no longer")
  func released() {
    var turns = Turns(open: [("1", set)], now: now)
    let second = turns.enter("2", set)
    turns.release("1")
    #expect(turns.admit(now: now) == [second])
  }

  @Test("who leaves the line is not waited for")
  func leftTheLine() {
    var turns = Turns(open: [], now: now)
    let (first, second, third) = (turns.enter("1", set), turns.enter("2", set), turns.enter("3", set))
    _ = turns.admit(now: now)
    turns.leave(second, isOpen: false, now: now)
    turns.leave(first, isOpen: false, now: now)
    #expect(turns.admit(now: now) == [third])
  }
}
