import ACMEClientAPI
import FoundationEssentials
import PKI
import Testing

@testable import ACMEClient

/// A process that begins with what another one left on disk.
@Suite("Taken up with Pebble", .serialized, .timeLimit(.minutes(2)))
struct ResumptionTests {
  @Test("an intent whose order was made is found in the account's list, and nothing is ordered twice")
  func adopted() async throws {
    try await Testbed.with { bed in
      let csr = try Testbed.csr(2)
      try await bed.withService { service in
        // Others have orders too, one of them for the same names and known.
        for (request, other) in [("other", try Testbed.csr(1)), ("same", csr)] {
          _ = try await service.issue(bed.call(other, for: request))
        }
        let url = try await newOrder(bed, service, csr)
        try await service.journal.keep(try await entry(bed, service, csr, .intended))
        let reply = try await service.issue(bed.call(csr))
        #expect(reply.order == url.value && reply.newOrders == 1)
      }
    }
  }

  @Test("an intent whose order is not found is ordered anew, and both are counted")
  func intended() async throws {
    try await Testbed.with { bed in
      let csr = try Testbed.csr(1)
      try await bed.withService { service in
        try await service.journal.keep(try await entry(bed, service, csr, .intended))
        #expect(try await service.issue(bed.call(csr)).newOrders == 2)
      }
    }
  }

  @Test("an order that was stored is taken up by the next process")
  func ordered() async throws {
    try await Testbed.with { bed in
      let csr = try Testbed.csr(2)
      try await bed.withService { service in
        let url = try await newOrder(bed, service, csr)
        try await service.journal.keep(try await entry(bed, service, csr, .ordered(url)))
      }
      try await bed.withService { service in
        let url = await service.journal["request"]?.order
        let reply = try await service.issue(bed.call(csr))
        #expect(reply.order == url?.value && reply.newOrders == 1)
      }
    }
  }

  @Test("an order stays at the CA where it was begun, whichever the caller wants by then")
  func otherAuthority() async throws {
    try await Testbed.with { bed in
      let csr = try Testbed.csr(1)
      try await bed.withService { service in
        let url = try await newOrder(bed, service, csr)
        try await service.journal.keep(try await entry(bed, service, csr, .ordered(url)))
        var authority = bed.authority
        authority.directory = "https://another.example/directory"
        let reply = try await service.issue(bed.call(csr, authority: authority))
        #expect(reply.order == url.value && reply.newOrders == 1)
      }
    }
  }

  @Test("an order whose certificate is issued gives that certificate, not another")
  func finalized() async throws {
    try await Testbed.with { bed in
      let csr = try Testbed.csr(1)
      try await bed.withService { service in
        let first = try await service.issue(bed.call(csr))
        let url = try #require(await service.journal["request"]?.order)
        try await service.journal.ordered("request", url)
        let second = try await service.issue(bed.call(csr))
        #expect(first.chain == second.chain && second.newOrders == 1)
      }
    }
  }

  @Test("the chain is kept until it is released, and needs no CA")
  func kept() async throws {
    try await Testbed.with { bed in
      let csr = try Testbed.csr(1)
      try await bed.withService { service in
        let reply = try await service.issue(bed.call(csr))
        var authority = bed.authority
        authority.trustRoots = "/nowhere"
        authority.directory = "https://another.example/directory"
        let steps = Steps()
        var again = try await service.issue(bed.call(csr, for: "request", authority: authority)) { steps.add($0) }
        // The CA's clock has gone on.
        again.date = reply.date
        #expect(again == reply && steps.stages.isEmpty)
        try await service.journal.forget("request")
        #expect(await service.journal.all.isEmpty)
        #expect(try await service.issue(bed.call(csr)).chain != reply.chain)
      }
    }
  }

  @Test("an order that the CA does not know, and one that has become invalid, are begun anew and counted")
  func useless() async throws {
    try await Testbed.with { bed in
      try await bed.withService { service in
        let csr = try Testbed.csr(1)
        let session = try await service.accounts.session(with: bed.authority)
        let gone = try #require(ResourceURL(session.connection.directory.newOrder.value.replacing("order-plz", with: "my-order/nothing")))
        try await service.journal.keep(try await entry(bed, service, csr, .ordered(gone)))
        #expect(try await service.issue(bed.call(csr)).newOrders == 2)
      }
      try await bed.withService { service in
        // Another name than that of the first order: one that is proved already may not be asked for again.
        let name = CA.name("unproved.acme.example")
        let csr = try SigningKey(.p256).signingRequest(for: [name])
        bed.answers.lose(name)
        _ = await #expect(throws: ACMEClient.Failed.self) { try await service.issue(bed.call(csr, for: "second")) }
        bed.answers.find(name)
        let reply = try await service.issue(bed.call(csr, for: "second"))
        #expect(reply.newOrders == 2)
      }
    }
  }

  @Test("a caller that goes away leaves the order, and the next call takes it up")
  func interrupted() async throws {
    try await Testbed.with { bed in
      let csr = try Testbed.csr(25)
      try await bed.withService { service in
        await withTaskGroup(of: Void.self) { tasks in
          tasks.addTask {
            _ = try? await service.issue(bed.call(csr)) { reply in if reply.step == .challenging { throw CancellationError() } }
          }
        }
        let url = try #require(await service.journal["request"]?.order)
        let reply = try await service.issue(bed.call(csr))
        #expect(reply.order == url.value && reply.newOrders == 1)
      }
    }
  }

  @Test("five calls for one request at once are one order")
  func joined() async throws {
    try await Testbed.with { bed in
      let csr = try Testbed.csr(1)
      try await bed.withService { service in
        let chains = try await withThrowingTaskGroup(of: String?.self) { tasks in
          for _ in 1...5 { tasks.addTask { try await service.issue(bed.call(csr)).chain } }
          return try await tasks.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(chains.count == 1)
        #expect(await service.journal["request"]?.newOrders == 1)
      }
    }
  }

  @Test("requests for one set of names take turns, and each has its own certificate")
  func turns() async throws {
    try await Testbed.with { bed in
      try await bed.withService { service in
        let orders = try await withThrowingTaskGroup(of: String?.self) { tasks in
          for index in 1...4 {
            let csr = try Testbed.csr(1)
            tasks.addTask { try await service.issue(bed.call(csr, for: "request \(index)")).order }
          }
          return try await tasks.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(orders.count == 4)
      }
    }
  }

  /// An order that was made by a process that did not live to hear of it.
  private func newOrder(_ bed: Testbed, _ service: ACMEClientInterface, _ csr: SigningRequest) async throws -> ResourceURL {
    let session = try await service.accounts.session(with: bed.authority)
    let url = session.connection.directory.newOrder
    let payload = NewOrder(identifiers: csr.names.map { Identifier($0) }, profile: nil, replaces: nil)
    return try #require(try await session.post(.newOrder, url, .encoding(payload)).location(of: url))
  }

  private func entry(
    _ bed: Testbed, _ service: ACMEClientInterface, _ csr: SigningRequest, _ stage: JournalEntry.Stage
  ) async throws -> JournalEntry {
    let session = try await service.accounts.session(with: bed.authority)
    return JournalEntry(
      request: "request", directory: session.connection.url, account: session.account, csrHash: csr.hash, names: csr.names, since: .earliest,
      newOrders: 1, stage: stage)
  }
}
