import ACMEClientAPI
import ModelAuthority
import PKI
import Testing

@testable import ACMEClient

/// RFC 9773, section 5, and revocation.
@Suite("A certificate that takes another one's place", .serialized, .timeLimit(.minutes(2)))
struct ReplacementTests {
  @Test("the order says which one, by the identifier that the CA knows")
  func named() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        let reply = try await renewed(bed, service)
        #expect(reply.newOrders == 1 && reply.replacesRefused == nil)
      }
      let first = try #require(model.report.replaces.last ?? nil)
      #expect(model.report.replaces == [nil, first] && model.identifiers.values.joined().contains(first))
    }
  }

  @Test("nothing is said to a CA without renewal information, nor of a certificate that cannot be named")
  func unnamed() async throws {
    var manners = Manners()
    manners.hasRenewalInfo = false
    try await Testbed.withModel(manners) { bed, model in
      try await bed.withService { service in
        let reply = try await renewed(bed, service)
        #expect(reply.replacesRefused == nil)
      }
      #expect(model.report.replaces == [nil, nil])
    }
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        let reply = try await service.issue(bed.call(try Testbed.csr(1), replacing: "no PEM"))
        #expect(reply.replacesRefused == nil)
      }
      #expect(model.report.replaces == [nil])
    }
  }

  @Test(
    "whatever the CA has against it, the order is made without it, once, and both requests are counted",
    arguments: [
      Fault.refused(Refusal("alreadyReplaced", status: 409, "replaced by another order")),
      .refused(Refusal("malformed", status: 404, "no such certificate")), .refused(Refusal("malformed", status: 400, "not yours")),
      .refused(Refusal("unauthorized", status: 403, "not the requester")), .refused(Refusal("newAndUnheardOf", status: 400, "no")),
      .page(status: 404, retryAfter: nil),
    ])
  func refused(fault: Fault) async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        let reply = try await renewed(bed, service) { model.script([fault], at: .newOrder) }
        #expect(reply.newOrders == 2 && reply.replacesRefused == true)
      }
      #expect(model.report.ordersMade == 2 && model.report[.newOrder] == 3)
    }
  }

  @Test("a CA that really knows of another order for it is no exception")
  func alreadyReplaced() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        let old = try await service.issue(bed.call(try Testbed.csr(1), for: "old")).chain
        _ = try await service.issue(bed.call(try Testbed.csr(1), for: "new", replacing: old))
        let reply = try await service.issue(bed.call(try Testbed.csr(1), for: "late", replacing: old))
        #expect(reply.newOrders == 2 && reply.replacesRefused == true)
      }
      #expect(model.report.replaces.count == 4 && model.report.replaces.last == .some(nil))
    }
  }

  @Test(
    "a refusal for another reason changes nothing: the next call names it again",
    arguments: [
      FaultCase.limited, FaultCase.busy, .dropped, .refused(Refusal("rejectedIdentifier", status: 400, "no")),
      .refused(Refusal("userActionRequired", status: 403, "new terms")),
    ])
  func another(fault: Fault) async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        let old = try #require(try await service.issue(bed.call(try Testbed.csr(1), for: "old")).chain)
        let call = bed.call(try Testbed.csr(1), replacing: old)
        model.script([fault], at: .newOrder)
        _ = try await service.problem { try await service.issue(call) }
        #expect(model.report[.newOrder] == 2)
        #expect(try await service.issue(call).replacesRefused == nil)
      }
      #expect(model.report.replaces.count == 2 && model.report.replaces.last != .some(nil))
    }
  }

  @Test("a process that dies between the two requests is followed by one that does not name it again")
  func interrupted() async throws {
    try await Testbed.withModel { bed, model in
      let csr = try Testbed.csr(1)
      try await bed.withService { service in
        let old = try #require(try await service.issue(bed.call(try Testbed.csr(1), for: "old")).chain)
        model.script([.refused(Refusal("alreadyReplaced", status: 409, "replaced")), .dropped], at: .newOrder)
        _ = try await service.problem { try await service.issue(bed.call(csr, replacing: old)) }
        #expect(model.report[.newOrder] == 3)
      }
      try await bed.withService { service in
        let old = await service.journal["old"]
        guard case .issued(_, let chain, _) = old?.stage else { throw Unexpected(reply: "\(String(describing: old))") }
        let reply = try await service.issue(bed.call(csr, replacing: chain))
        #expect(reply.newOrders == 3 && reply.replacesRefused == true)
      }
      #expect(model.report.replaces == [nil, nil] && model.report[.newOrder] == 4)
    }
  }

  @Test("an order that is refused with and without it fails, after two requests")
  func bothRefused() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        let old = try #require(try await service.issue(bed.call(try Testbed.csr(1), for: "old")).chain)
        let refusal = Fault.refused(Refusal("malformed", status: 400, "what is this"))
        model.script([refusal, refusal], at: .newOrder)
        let call = bed.call(try Testbed.csr(1), replacing: old)
        #expect(try await service.problem { try await service.issue(call) }.error == .internalError)
        #expect(model.report[.newOrder] == 3)
        #expect(try await service.issue(call).replacesRefused == true)
      }
    }
  }

  @Test("it is exempt from the limits within its window")
  func exempt() async throws {
    var manners = Manners()
    manners.limits = [Limit(.certificatesPerExactSet, 1, per: 604_800)]
    try await Testbed.withModel(manners) { bed, model in
      try await bed.withService { service in
        let old = try #require(try await service.issue(bed.call(try Testbed.csr(1), for: "old")).chain)
        let call = bed.call(try Testbed.csr(1), replacing: old)
        let problem = try await service.problem { try await service.issue(call) }
        #expect(problem.error == .rateLimited)
        #expect((604_000...604_800).contains(try #require(problem.retryAfter)))
        let identifier = try #require(try CertificateChain(pem: old).leaf.identifier)
        model.answer(.red(now: model.now), about: identifier.value)
        #expect(try await service.issue(call).newOrders == 1)
      }
    }
  }

  @Test("a certificate is revoked once, by the account that has it, and its window turns red")
  func revoked() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        let chain = try #require(try await service.issue(bed.call(try Testbed.csr(1))).chain)
        for _ in 1...2 { try await service.certificates.revoke(.init(authority: bed.authority, certificate: chain, reason: 4)) }
        #expect(model.report[.revokeCert] == 2)
        let info = try await service.certificates.renewalInfo(.init(authority: bed.authority, certificate: chain))
        #expect(try #require(info.end) < model.now)
      }
    }
  }

  @Test("what cannot be revoked is said")
  func notRevoked() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        let chain = try #require(try await service.issue(bed.call(try Testbed.csr(1))).chain)
        let reason = try await service.problem {
          try await service.certificates.revoke(.init(authority: bed.authority, certificate: chain, reason: 2))
        }
        #expect(reason.text.contains("no reason 2"))
        let unread = try await service.problem { try await service.certificates.revoke(.init(authority: bed.authority, certificate: "no PEM")) }
        #expect(unread.error == .internalError && unread.final)
        model.script([.page(status: 503, retryAfter: "60")], at: .revokeCert)
        let down = try await service.problem { try await service.certificates.revoke(.init(authority: bed.authority, certificate: chain)) }
        #expect(down.error == .caUnavailable && down.retryAfter == 60)
      }
    }
  }

  /// A certificate in place of another one; `between` is called when the other one is there.
  private func renewed(_ bed: Testbed, _ service: ACMEClientInterface, between: () -> Void = {}) async throws -> ACMEClient.Issue.Reply {
    let old = try #require(try await service.issue(bed.call(try Testbed.csr(2), for: "old")).chain)
    between()
    return try await service.issue(bed.call(try Testbed.csr(2), replacing: old))
  }
}
