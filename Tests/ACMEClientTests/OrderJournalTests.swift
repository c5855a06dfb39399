import FoundationEssentials
import Logging
import PKI
import Testing

@testable import ACMEClient

@Suite("The orders on disk")
struct OrderJournalTests {
  let logger = Logger(label: "test")

  @Test("every stage is there again after a kill")
  func stages() async throws {
    try await withFolder { folder in
      let journal = try OrderJournal(folder: folder, logger: logger)
      try await journal.keep(entry("1"))
      try await journal.intend("1")
      #expect(try await reopened(folder)["1"]?.stage == .intended)
      try await journal.ordered("1", CA.url("order/1"))
      #expect(try await reopened(folder)["1"]?.stage == .ordered(CA.url("order/1")))
      try await journal.abandon("1")
      try await journal.intend("1")
      #expect(try await reopened(folder)["1"]?.newOrders == 2)
      try await journal.refused("1", before: .none)
      let again = try await reopened(folder)["1"]
      #expect(again?.newOrders == 1 && again?.stage == JournalEntry.Stage.none)
      try await journal.forget("1")
      try await journal.forget("1")
      #expect(try await reopened(folder).all.isEmpty)
    }
  }

  @Test("an order belongs to one request: who had it before orders anew")
  func oneOwner() async throws {
    try await withFolder { folder in
      let journal = try OrderJournal(folder: folder, logger: logger)
      for request in ["1", "2"] { try await journal.keep(entry(request)) }
      try await journal.ordered("1", CA.url("order/1"))
      try await journal.ordered("2", CA.url("order/1"))
      #expect(await journal["1"]?.order == nil)
      #expect(try await reopened(folder)["1"]?.order == nil)
      #expect(await journal["2"]?.order == CA.url("order/1"))
    }
  }

  @Test("work on a request that was released does not go on in silence")
  func released() async throws {
    try await withFolder { folder in
      let journal = try OrderJournal(folder: folder, logger: logger)
      try await journal.keep(entry("1"))
      try await journal.forget("1")
      await #expect(throws: ACMEError.self) { try await journal.ordered("1", CA.url("order/1")) }
      #expect(await journal.all.isEmpty)
    }
  }

  @Test("a file that makes no sense is set aside, and the others are read")
  func corrupt() async throws {
    try await withFolder { folder in
      try await OrderJournal(folder: folder, logger: logger).keep(entry("1"))
      try Data("{".utf8).write(to: folder.appending(component: "0.json"))
      #expect(try await reopened(folder).all.map(\.request) == ["1"])
      #expect(FileManager.default.fileExists(atPath: folder.appending(component: "0.json.corrupt").path))
      #expect(try await reopened(folder).all.map(\.request) == ["1"])
    }
  }

  @Test("any text can be a request id", arguments: ["../../etc/passwd", "", "a/b", "\u{0}", String(repeating: "é", count: 128)])
  func requestIDs(request: String) async throws {
    try await withFolder { folder in
      try await OrderJournal(folder: folder, logger: logger).keep(entry(request))
      #expect(try await reopened(folder)[request]?.request == request)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }
  }

  private func reopened(_ folder: URL) async throws -> OrderJournal { try OrderJournal(folder: folder, logger: logger) }

  private func entry(_ request: String) -> JournalEntry {
    JournalEntry(
      request: request, directory: CA.url("directory"), account: CA.url("account/1"), csrHash: Fingerprint(of: [1]), names: [CA.name("a.example")],
      since: Instant(milliseconds: 1), newOrders: 0, stage: .none)
  }
}
