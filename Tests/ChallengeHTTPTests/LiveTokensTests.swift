import FoundationEssentials
import LineLog
import Logging
import PKI
import RawSocket
import ResponderAPI
import Telemetry
import Testing

@testable import ChallengeHTTP

@Suite("Live tokens")
struct LiveTokensTests {
  private let folder: TemporaryFolder
  private let clock = TestClock()
  private let lines = LineLog.Lines()

  init() throws { folder = try TemporaryFolder() }

  private func tokens(limits: LeaseLimits = LeaseLimits()) throws -> LiveTokens {
    try LiveTokens(log: folder.leaseLog, limits: limits, clock: clock.wall, logger: LineLog.make(lines))
  }

  @Test("are answered by the next process, withdrawn ones for as long as by this one")
  func restart() throws {
    let first = try tokens()
    for number in 1...3 { try first.publish(wish(number)) }
    first.withdraw(order: "order-1", token: try sampleToken(2))
    clock.advance(by: .seconds(60))
    let second = try tokens()
    #expect(second.token(try sampleToken(1))?.keyAuthorization == (try wish(1)).keyAuthorization)
    #expect(second.token(try sampleToken(2))?.holders == [])
    clock.advance(by: .seconds(60))
    #expect(second.token(try sampleToken(2)) == nil)
    #expect(try tokens().live().count == 2)
    #expect(lines.all == [])
  }

  @Test("keep the trace of their order")
  func trace() throws {
    var wish = try wish()
    wish.trace = TraceContext.make()
    try tokens().publish(wish)
    #expect(try tokens().token(wish.token)?.trace == wish.trace)
  }

  @Test("survive a process that was killed in the middle of a line, which does not count")
  func tornLine() throws {
    let first = try tokens()
    try first.publish(wish(1))
    try first.publish(wish(2))
    var content = try Data(contentsOf: folder.leaseLog)
    content.removeLast(20)
    try content.write(to: folder.leaseLog)
    let second = try tokens()
    #expect(second.live().map(\.token) == [try sampleToken(1)])
    try second.publish(wish(3))
    #expect(try tokens().live().count == 2)
    #expect(lines.all == [])
  }

  @Test("survive lines that make no sense, and say so")
  func badLines() throws {
    try tokens().publish(wish(1))
    let good = try Data(contentsOf: folder.leaseLog)
    try (Data("what?\n{}\n".utf8) + good + Data([0xFF, 0x0A])).write(to: folder.leaseLog)
    #expect(try tokens().live().count == 1)
    #expect(lines.all.count == 1)
    #expect(lines.all.first?.hasPrefix("error lines of the log of leases made no sense and are dropped count=3 event=fileDamaged file=") == true)
  }

  @Test("set aside a log that cannot be theirs")
  func hugeLog() throws {
    let file = Data(repeating: 0x78, count: (64 << 20) + 1)
    try file.write(to: folder.leaseLog)
    #expect(try tokens().live().isEmpty)
    #expect(FileManager.default.fileExists(atPath: folder.path + "/leases.log.corrupt"))
    try tokens().publish(wish(1))
  }

  @Test("do not grow on disk with what comes and goes")
  func compaction() throws {
    let tokens = try tokens()
    let order = String(repeating: "o", count: 256)
    for number in 0..<4000 { try tokens.publish(wish(number % 10, order: order)) }
    let size = try Data(contentsOf: folder.leaseLog).count
    #expect(size < 1_200_000)
    #expect(try self.tokens().live().count == 10)
  }
}
