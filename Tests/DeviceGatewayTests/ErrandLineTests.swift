import AppWebsocket
import PKI
import SchedulerAPI
import Telemetry
import Testing

@testable import DeviceGateway

@Suite("A connection's line of errands")
struct ErrandLineTests {
  private func errand(_ errand: Errand, answering message: MessageName? = nil) -> ErrandLine.Item {
    ErrandLine.Item(errand: errand, message: message, correlation: .none, trace: .make())
  }

  private func renewal(_ slot: String) -> DeviceNews {
    .renewal(RenewalWish(slot: slot, names: [], reason: .due))
  }

  @Test("runs one after the other, in the order in which they came")
  func order() throws {
    var line = ErrandLine()
    let slots = try ["a", "b", "c"].map { try #require(ShortText($0)) }
    let items = slots.map { errand(.answerRenewal($0, .told)) }
    let begun = items.map { line.add($0)?.trace }
    #expect(begun == [items[0].trace, nil, nil])
    for (done, next) in zip(items, items.dropFirst()) {
      let end = line.finish()
      #expect(end?.done.trace == done.trace)
      guard case .run(let following)? = end?.sequel else { Issue.record("nothing follows"); continue }
      #expect(following.trace == next.trace)
    }
    let last = line.finish()
    #expect(last?.done.trace == items[2].trace)
    let none = line.finish()
    #expect(none == nil)
  }

  @Test("has news wait for the answer, and tells it in its order when the last one is given")
  func news() {
    var line = ErrandLine()
    #expect(line.hear(renewal("early")) == .tell)
    _ = line.add(errand(.register(nil)))
    _ = line.add(errand(.register(nil)))
    #expect([line.hear(renewal("a")), line.hear(renewal("b"))] == [.held, .held])
    guard case .run? = line.finish()?.sequel else { Issue.record("the second is not run"); return }
    guard case .tell(let news)? = line.finish()?.sequel else { Issue.record("nothing is told"); return }
    #expect(news == [renewal("a"), renewal("b")])
    #expect(line.hear(renewal("late")) == .tell)
  }

  @Test("holds so much and no more")
  func bound() {
    var line = ErrandLine()
    _ = line.add(errand(.register(nil)))
    for number in 1...HeldNews.capacity { #expect(line.hear(renewal("\(number)")) == .held) }
    #expect(line.hear(renewal("one more")) == .full)
    #expect(line.hear(renewal("1")) == .held)
  }

  @Test("knows whether a registration of the gateway's own has yet to begin")
  func registration() throws {
    var line = ErrandLine()
    let name = try #require(MessageName("RegisterDevice"))
    _ = line.add(errand(.register(nil)))
    #expect(!line.isRegistrationWaiting)
    _ = line.add(errand(.register(nil), answering: name))
    #expect(!line.isRegistrationWaiting)
    _ = line.add(errand(.register(nil)))
    #expect(line.isRegistrationWaiting)
  }
}
