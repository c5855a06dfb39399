import PKI
import ResponderAPI
import Testing

@testable import ChallengeHTTP

@Suite("The table of live tokens")
struct TokenTableTests {
  private func now(_ seconds: Int64) -> Instant { Instant(milliseconds: seconds * 1000) }

  private func table(_ wishes: Responder.Publish.Parameters..., limits: LeaseLimits = LeaseLimits()) throws -> TokenTable {
    var table = TokenTable(limits: limits)
    for wish in wishes { table.set(try table.publish(wish, now: now(0)), now: now(0)) }
    return table
  }

  @Test("answers a token until its lease ends, and counts")
  func expiry() throws {
    var table = try table(wish(expires: now(100)))
    let token = try sampleToken()
    let visit = Responder.Visit(address: "192.0.2.1", time: now(0))
    #expect(table.hit(token, from: visit, now: now(0))?.hits == 1)
    #expect(table.hit(token, from: visit, now: now(99))?.hits == 2)
    #expect(table.hit(token, from: visit, now: now(100)) == nil)
    #expect(table.hit(try sampleToken(2), from: visit, now: now(0)) == nil)
  }

  @Test("keeps a token for a while after it was withdrawn, but not beyond its lease")
  func grace() throws {
    var table = try table(wish(1, expires: now(1000)), wish(2, expires: now(100)))
    for number in 1...2 {
      let ended = try #require(table.withdraw(order: "order-1", token: try sampleToken(number), now: now(50)))
      table.set(ended, now: now(50))
    }
    #expect(table.token(try sampleToken(1), now: now(169)) != nil)
    #expect(table.token(try sampleToken(1), now: now(170)) == nil)
    #expect(table.token(try sampleToken(2), now: now(99)) != nil)
    #expect(table.token(try sampleToken(2), now: now(100)) == nil)
  }

  @Test("ends the lease of one order and no other")
  func orders() throws {
    var table = try table(wish(order: "a", expires: now(1000)), wish(order: "b", expires: now(500)))
    let token = try sampleToken()
    #expect(table.token(token, now: now(0))?.holders == ["a", "b"])
    table.set(try #require(table.withdraw(order: "a", token: token, now: now(0))), now: now(0))
    #expect(table.token(token, now: now(0))?.holders == ["b"])
    #expect(table.token(token, now: now(499)) != nil)
    #expect(table.token(token, now: now(500)) == nil)
    #expect(table.withdraw(order: "a", token: token, now: now(1)) == nil)
    #expect(table.withdraw(order: "c", token: token, now: now(1)) == nil)
    #expect(table.withdraw(order: "b", token: try sampleToken(2), now: now(1)) == nil)
  }

  @Test("a lease that is published again changes nothing but its end, and lives again after a withdrawal")
  func again() throws {
    var table = try table(wish(expires: now(100)), wish(expires: now(200)))
    let token = try sampleToken()
    #expect(table.leases(now: now(0)).count == 1)
    #expect(table.token(token, now: now(199)) != nil)
    table.set(try #require(table.withdraw(order: "order-1", token: token, now: now(10))), now: now(10))
    table.set(try table.publish(wish(expires: now(300)), now: now(20)), now: now(20))
    #expect(table.token(token, now: now(299))?.holders == ["order-1"])
  }

  @Test("refuses what cannot be right, and says why")
  func refusals() throws {
    var table = try table(wish(expires: now(100)))
    var foreignToken = try wish(2)
    foreignToken.keyAuthorization = try wish(3).keyAuthorization
    let refused: [Responder.Publish.Parameters] = [
      foreignToken, try wish(2, order: ""), try wish(2, order: String(repeating: "x", count: 257)), try wish(2, expires: now(0)),
      try wish(order: "b", thumbprint: "another"), try wish(order: "b", name: "other.example.com"),
    ]
    for wish in refused {
      let error = #expect(throws: Responder.NotPublished.self) { try table.publish(wish, now: now(0)) }
      #expect(error?.reason.contains(thumbprint) == false)
      #expect(error?.required == false)
    }
  }

  @Test("bounds the number and the length of leases; what has ended makes room")
  func bounds() throws {
    var limits = LeaseLimits()
    limits.count = 3
    limits.duration = .seconds(1000)
    var table = try table(wish(1, expires: now(10)), wish(2), wish(3), limits: limits)
    #expect(throws: Responder.NotPublished.self) { try table.publish(wish(4), now: now(5)) }
    table.set(try table.publish(wish(4), now: now(20)), now: now(20))
    #expect(table.leases(now: now(20)).count == 3)
    #expect(table.token(try sampleToken(4), now: now(20))?.end == now(1020))
  }

  @Test("forgets in time linear to the leases, however many come and go")
  func churn() throws {
    var table = TokenTable()
    for number in 0..<20_000 {
      let now = now(Int64(number))
      table.set(try table.publish(wish(number, expires: now + .seconds(100)), now: now), now: now)
    }
    #expect(table.leases(now: now(20_000)).count == 99)
  }
}
