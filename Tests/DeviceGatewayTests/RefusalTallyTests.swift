import AppWebsocket
import NIOCore
import PKI
import SchedulerAPI
import Testing

@testable import DeviceGateway

@Suite("Who is refused again and again")
struct RefusalTallyTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)
  private let peer: PeerAddress

  init() throws {
    peer = PeerAddress(try SocketAddress(ipAddress: "192.0.2.7", port: 1))
  }

  private func tally(_ times: [Duration], of sip: String = "1") -> RefusalTally {
    var tally = RefusalTally()
    for time in times { tally.note(.init(sip: sip), from: peer, at: now + time) }
    return tally
  }

  @Test("is told from the third time on, and again only when there are more")
  func told() {
    #expect(tally([.zero, .seconds(1)]).news.isEmpty)
    var tally = tally([.zero, .seconds(1), .seconds(2)])
    #expect(tally.news == [RefusedLogin(sip: "1", address: "192.0.2.7", since: now, count: 3)])
    tally.noteTold(tally.news)
    #expect(tally.news.isEmpty)
    tally.note(.init(sip: "1"), from: peer, at: now + .seconds(3))
    #expect(tally.news.map(\.count) == [4])
  }

  @Test("is forgotten with a right login, and begins anew after an hour")
  func forgotten() {
    var tally = tally([.zero, .seconds(1), .seconds(2)])
    tally.forget(.init(sip: "1"))
    #expect(tally.news.isEmpty)
    #expect(self.tally([.zero, .seconds(1), .seconds(3_602)]).news.isEmpty)
  }

  @Test("is a bounded number, of which those who go on remain")
  func bounded() {
    var tally = tally([.zero])
    for number in 0..<3 * RefusalTally.capacity {
      tally.note(.init(sip: "guess \(number)"), from: peer, at: now + .seconds(1))
      if number % 100 == 0 { tally.note(.init(sip: "1"), from: peer, at: now + .seconds(2)) }
    }
    #expect(tally.news.map(\.count) == [31])
  }
}
