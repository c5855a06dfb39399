import NIOCore
import Testing

@testable import DeviceGateway

@Suite("Throttle")
struct ThrottleTests {
  let start = ContinuousClock.now

  private func attempt(_ number: UInt8 = 7, at target: Throttle.Subject? = nil) throws -> [Throttle.Subject] {
    let peer = PeerAddress(try SocketAddress(ipAddress: "192.0.2.\(number)", port: 1))
    return [.source(peer.network)] + (target.map { [$0] } ?? [])
  }

  @Test("the first wrong guesses cost nothing, the next ones twice as long each, up to the longest pause")
  func pauses() throws {
    var throttle = Throttle()
    let attempt = try attempt()
    for _ in 1..<throttle.freeGuesses { throttle.failed(attempt, at: start) }
    #expect(throttle.pause(for: attempt, at: start) == nil)
    var pauses: [Duration?] = []
    for _ in 1...9 {
      throttle.failed(attempt, at: start)
      pauses.append(throttle.pause(for: attempt, at: start))
    }
    #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
  }

  @Test("a pause ends, time forgets one guess after the other, and a right secret none")
  func ends() throws {
    var throttle = Throttle()
    let attempt = try attempt()
    for _ in 1...throttle.freeGuesses { throttle.failed(attempt, at: start) }
    #expect(throttle.pause(for: attempt, at: start + .seconds(1)) == nil)
    throttle.succeeded(1)
    throttle.failed(attempt, at: start + .seconds(30))
    #expect(throttle.pause(for: attempt, at: start + .seconds(30)) == .seconds(2))
    throttle.failed(attempt, at: start + .seconds(300))
    #expect(throttle.pause(for: attempt, at: start + .seconds(300)) == nil)
  }

  @Test("who was right and never wrong since is known, whatever others guess; one wrong guess ends that")
  func knownClients() throws {
    var throttle = Throttle()
    throttle.succeeded(1)
    for _ in 1...throttle.freeGuesses { throttle.failed(try attempt(), by: [2, 3], at: start) }
    #expect(throttle.knows(1) && !throttle.knows(2))
    throttle.failed(try attempt(), by: [3, 1], at: start)
    #expect(!throttle.knows(1))
  }

  @Test("many sources guessing at one target make it rest, for a second at a time")
  func target() throws {
    var throttle = Throttle()
    for number in 1...100 { throttle.failed(try attempt(UInt8(number), at: .instance), at: start) }
    #expect(throttle.pause(for: try attempt(200, at: .instance), at: start) == .seconds(1))
    #expect(throttle.pause(for: try attempt(200), at: start) == nil)
  }

  @Test("however many guess, only so many are kept in mind, the latest ones")
  func bounded() throws {
    var throttle = Throttle()
    throttle.capacity = 100
    throttle.freeGuesses = 1
    for number in 0..<250 { throttle.failed(try attempt(UInt8(number)), at: start + .milliseconds(number)) }
    #expect(throttle.count <= 100)
    #expect(throttle.pause(for: try attempt(249), at: start + .milliseconds(249)) == .seconds(1))
  }
}

@Suite("What others have the gateway write into its log")
struct LineAMinuteTests {
  @Test("is a line a minute, which counts those that were left out")
  func counted() {
    var noise = LineAMinute()
    let start = ContinuousClock.now
    #expect([0, 1, 59, 60, 61].map { noise.take(at: start + .seconds($0)) } == [0, nil, nil, 2, nil])
  }
}

@Suite("Where connections come from")
struct PeerAddressTests {
  private func peer(_ text: String) throws -> PeerAddress { PeerAddress(try SocketAddress(ipAddress: text, port: 1)) }

  @Test("an IPv4 address is the same through an IPv6 socket", arguments: ["192.0.2.7", "127.0.0.1"])
  func mapped(text: String) throws {
    #expect(try peer(text) == peer("::ffff:\(text)"))
    #expect(try peer(text).description == text)
  }

  @Test("loopback is this machine only", arguments: [("127.0.0.9", true), ("::1", true), ("192.0.2.7", false), ("2001:db8::1", false)])
  func loopback(text: String, isLoopback: Bool) throws {
    #expect(try peer(text).isLoopback == isLoopback)
  }

  @Test("the addresses of one IPv6 network count as one, those of IPv4 each for itself")
  func network() throws {
    #expect(try peer("2001:db8::1").network == peer("2001:db8::2").network)
    #expect(try peer("2001:db8:0:1::1").network != peer("2001:db8::1").network)
    #expect(try peer("192.0.2.7").network != peer("192.0.2.8").network)
    #expect(try peer("2001:db8::1").description == "2001:db8::1")
  }
}
