import Testing

@testable import ACMEClient

@Suite("The nonce pool")
struct NoncePoolTests {
  @Test("a nonce is used once, the youngest first, and a new one is asked for only when none is left")
  func once() async throws {
    let pool = NoncePool()
    for text in ["a", "b"] { pool.put(try #require(Nonce(text))) }
    #expect(try await pool.take { throw CancellationError() }.description == "b")
    #expect(try await pool.take { throw CancellationError() }.description == "a")
    let fetched = try #require(Nonce("c"))
    #expect(try await pool.take { fetched } == fetched)
  }

  @Test("a hundred requests at once share the nonces of few fetches and of their own replies")
  func bounded() async throws {
    let pool = NoncePool()
    let fetches = Fetches()
    let used = try await withThrowingTaskGroup(of: String.self) { tasks in
      for _ in 0..<100 {
        tasks.addTask {
          let nonce = try await pool.take { try #require(Nonce(await fetches.fetch())) }
          await Task.yield()
          pool.put(try #require(Nonce("\(nonce)-next")))
          return nonce.description
        }
      }
      return try await tasks.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(used).count == 100)
    #expect(await fetches.most <= NoncePool.fetchesAtATime)
  }

  @Test("when a fetch fails, who waits fetches for itself")
  func failedFetch() async throws {
    struct Down: Error {}
    let pool = NoncePool()
    let outcomes = await withTaskGroup(of: Bool.self) { tasks in
      for _ in 0..<20 {
        tasks.addTask { (try? await pool.take { throw Down() }) == nil }
      }
      return await tasks.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes == Array(repeating: true, count: 20))
  }

  @Test("what is no base64url is no nonce", arguments: ["", "a b", "a=", "ä", String(repeating: "a", count: 513)])
  func noNonce(text: String) {
    #expect(Nonce(text) == nil)
  }
}

/// Counts how many fetches are under way.
private actor Fetches {
  private var count = 0
  private var underWay = 0
  private(set) var most = 0

  func fetch() async -> String {
    count += 1
    let name = "fetched\(count)"
    underWay += 1
    most = max(most, underWay)
    await Task.yield()
    underWay -= 1
    return name
  }
}
