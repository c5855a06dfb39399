import ACMEClientAPI
import FoundationEssentials
import ModelAuthority
import PKI
import Synchronization
import Testing

@testable import ACMEClient

/// What is done with an account at a real CA.
@Suite("An account at Pebble", .serialized, .timeLimit(.minutes(2)))
struct AccountChangeTests {
  @Test("a contact that has changed is told with the next use of the account, once")
  func contact() async throws {
    try await Testbed.with { bed in
      try await bed.withService { service in
        let account = try await service.accounts.describe(bed.authority)
        #expect(account.contact == ["mailto:admin@a.example"])
      }
      try await bed.withService { service in
        var authority = bed.authority
        authority.contact = ["other@a.example"]
        _ = try await service.issue(bed.call(try Testbed.csr(1), authority: authority))
        let account = try await service.accounts.describe(authority)
        #expect(account.contact == ["mailto:other@a.example"] && account.status == "valid")
        #expect(try await service.accounts.update(bed.authority).contact == ["mailto:admin@a.example"])
      }
    }
  }

  @Test("the account has another key and is the same, and the next process uses that key")
  func changedKey() async throws {
    try await Testbed.with { bed in
      let shown = Shown()
      try await bed.withService { service in
        let before = try await service.accounts.describe(bed.authority)
        let after = try await service.accounts.changeKey(bed.authority)
        #expect(after.url == before.url && after.thumbprint != before.thumbprint && after.status == "valid")
        #expect(after.contact == before.contact)
        _ = try await service.issue(bed.call(try Testbed.csr(2)))
        shown.note(after)
      }
      try await bed.withService { service in
        #expect(try await service.accounts.describe(bed.authority) == shown.account)
        _ = try await service.issue(bed.call(try Testbed.csr(2), for: "another"))
      }
    }
  }

  @Test("a key that the CA never heard of is forgotten")
  func neverHeard() async throws {
    try await Testbed.with { bed in
      let shown = Shown()
      try await bed.withService { service in
        let session = try await service.accounts.session(with: bed.authority)
        shown.note(try await service.accounts.describe(bed.authority))
        _ = try await service.accounts.keys.makeSuccessor(uri: nil, directory: session.connection.url)
      }
      try await bed.withService { service in
        let account = try await service.accounts.describe(bed.authority)
        #expect(try account == shown.account && bed.accountKeys().count == 1)
      }
    }
  }

  @Test("a deactivated account takes no orders, and says how to have another")
  func deactivated() async throws {
    try await Testbed.with { bed in
      let csr = try Testbed.csr(1)
      for _ in 1...2 {
        try await bed.withService { service in
          #expect(try await service.accounts.deactivate(bed.authority).status == "deactivated")
          let problem = try await service.problem { try await service.issue(bed.call(csr)) }
          #expect(problem.error == .accountProblem && !problem.final)
          let key = try #require(try bed.accountKeys().first)
          #expect(problem.text.contains(key), "\(problem.text)")
        }
      }
      try await bed.withService { service in
        let ended = try await service.accounts.describe(bed.authority)
        try bed.accountKeys().forEach { try FileManager.default.removeItem(atPath: $0) }
        #expect(try await service.issue(bed.call(csr)).chain != nil)
        let made = try await service.accounts.describe(bed.authority)
        #expect(made.url != ended.url && made.status == "valid")
      }
    }
  }

  private final class Shown: Sendable {
    private let kept = Mutex<ACMEClient.Account?>(nil)
    var account: ACMEClient.Account? { kept.withLock { $0 } }
    func note(_ account: ACMEClient.Account) { kept.withLock { $0 = account } }
  }
}

/// What goes wrong when an account is changed.
@Suite("An account at a CA that goes wrong", .serialized, .timeLimit(.minutes(2)))
struct AccountFaultTests {
  @Test("a change of the key that the CA refuses leaves the old key, and no other")
  func refusedKey() async throws {
    try await Testbed.withModel { bed, model in
      model.script([.refused(Refusal("malformed", status: 409, "an account has this key"))], at: .keyChange)
      try await bed.withService { service in
        let before = try await service.accounts.describe(bed.authority)
        await #expect(throws: ACMEError.self) { try await service.accounts.changeKey(bed.authority) }
        #expect(try await service.accounts.describe(bed.authority) == before)
        #expect(try bed.accountKeys().count == 1)
      }
    }
  }

  @Test("a change of the key whose answer is lost is decided by asking the CA", arguments: [Fault.unanswered, .dropped])
  func lostAnswer(fault: Fault) async throws {
    try await Testbed.withModel { bed, model in
      model.script([fault], at: .keyChange)
      try await bed.withService { service in
        let before = try await service.accounts.describe(bed.authority)
        if fault == .unanswered {
          #expect(try await service.accounts.changeKey(bed.authority).thumbprint != before.thumbprint)
        } else {
          await #expect(throws: ACMEError.self) { try await service.accounts.changeKey(bed.authority) }
          #expect(try await service.accounts.describe(bed.authority) == before)
        }
        #expect(try bed.accountKeys().count == 1)
        _ = try await service.issue(bed.call(try Testbed.csr(1)))
      }
    }
  }

  @Test("while the CA cannot be asked both keys are kept, and the next process asks it")
  func undecided() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        _ = try await service.accounts.describe(bed.authority)
        model.script([.unanswered], at: .keyChange)
        model.keep(.dropped, at: .newAccount)
        let error = await #expect(throws: ACMEError.self) { try await service.accounts.changeKey(bed.authority) }
        #expect(error?.cause.contains("both keys are kept") == true)
        #expect(try bed.accountKeys().count == 2)
      }
      model.keep(nil, at: .newAccount)
      try await bed.withService { service in
        _ = try await service.issue(bed.call(try Testbed.csr(1)))
        #expect(try bed.accountKeys().count == 1)
      }
      #expect(model.report[.keyChange] == 1)
    }
  }

  @Test("an account whose end the CA may have heard of takes no orders, and is ended by the next call")
  func lostEnd() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        _ = try await service.accounts.describe(bed.authority)
        model.script([.unanswered], at: .account)
        await #expect(throws: ACMEError.self) { try await service.accounts.deactivate(bed.authority) }
        let problem = try await service.problem { try await service.issue(bed.call(try Testbed.csr(1))) }
        #expect(problem.error == .accountProblem)
        #expect(try await service.accounts.deactivate(bed.authority).status == "deactivated")
      }
      #expect(model.report[.newOrder] == 0)
    }
  }

  @Test("an account that the CA does not end stays in use")
  func refusedEnd() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        _ = try await service.accounts.describe(bed.authority)
        model.script([.refused(Refusal("serverInternal", status: 403, "not today"))], at: .account)
        await #expect(throws: ACMEError.self) { try await service.accounts.deactivate(bed.authority) }
        #expect(try await service.issue(bed.call(try Testbed.csr(1))).chain != nil)
      }
    }
  }

  @Test("a contact that the CA refuses keeps no order up, and is told no more")
  func refusedContact() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        _ = try await service.accounts.describe(bed.authority)
        model.script([.refused(Refusal("invalidContact", status: 400, "no such domain"))], at: .account)
        var authority = bed.authority
        authority.contact = ["other@a.example"]
        for request in ["first", "second"] {
          #expect(try await service.issue(bed.call(try Testbed.csr(1), for: request, authority: authority)).chain != nil)
        }
        // The first one read it.
        #expect(model.report[.account] == 2)
      }
    }
  }

  @Test("a change of the key waits for the order that is under way")
  func underWay() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        let (challenging, goOn) = (Waiter<Void>(), Waiter<Void>())
        let csr = try Testbed.csr(1)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          tasks.addTask {
            _ = try await service.issue(bed.call(csr)) { reply in
              guard reply.step == .challenging, reply.name == nil else { return }
              _ = challenging.give(())
              try await goOn.value()
            }
          }
          try await challenging.value()
          tasks.addTask { _ = try await service.accounts.changeKey(bed.authority) }
          while await !service.accounts.turns.isWaitedFor { try await Task.sleep(for: .milliseconds(1)) }
          #expect(model.report[.keyChange] == 0)
          _ = goOn.give(())
          try await tasks.waitForAll()
        }
        #expect(model.report[.keyChange] == 1 && model.report.ordersMade == 1)
      }
    }
  }
}

extension Testbed {
  /// The files in which account keys are.
  fileprivate func accountKeys() throws -> [String] {
    let keys = folder.appending(path: "state/account-keys")
    return try FileManager.default.contentsOfDirectory(atPath: keys.path).filter { !$0.hasPrefix(".") }.map { keys.appending(path: $0).path }
  }
}
