import ACMEClientAPI
import ModelAuthority
import PKI
import Testing

@testable import ACMEClient

/// What real CAs do and Pebble does not.
@Suite("A CA with manners of its own", .serialized, .timeLimit(.minutes(2)))
struct MannersTests {
  @Test("a certificate for 1, 25 and 100 names, by the letter of the RFCs", arguments: [1, 25, 100])
  func names(count: Int) async throws {
    var manners = Manners()
    manners.nonceRefusalInterval = 5
    manners.processingAnswers = 2
    manners.sendsRoot = true
    try await Testbed.withModel(manners) { bed, model in
      try await bed.withService { service in
        let csr = try Testbed.csr(count)
        let reply = try await service.issue(bed.call(csr))
        let chain = try CertificateChain(pem: try #require(reply.chain))
        try chain.verify(against: csr)
        #expect(chain == chain.withoutRoot && reply.newOrders == 1)
      }
      #expect(model.report[.challenge] < count * 3 / 2 + 2, "a challenge is posted once, but for refused nonces")
    }
  }

  @Test("an order that is open for the same names is given again, and is one order")
  func reusedOrder() async throws {
    var manners = Manners()
    manners.reusesOrders = true
    try await Testbed.withModel(manners) { bed, model in
      try await bed.withService { service in
        model.script([.unanswered], at: .newOrder)
        let csr = try Testbed.csr(2)
        _ = try await service.problem { try await service.issue(bed.call(csr)) }
        #expect(try await service.issue(bed.call(csr)).chain != nil)
        #expect(model.report.ordersMade == 1)
      }
    }
  }

  @Test("an authorization that another order waits for is shared, and one that is valid is not proved again")
  func reusedAuthorizations() async throws {
    var manners = Manners()
    manners.reusesPendingAuthorizations = true
    manners.reusesValidAuthorizations = true
    try await Testbed.withModel(manners) { bed, model in
      try await bed.withService { service in
        model.script([.half], at: .authorization)
        let both = try Testbed.csr(2)
        _ = try await service.problem { try await service.issue(bed.call(both, for: "both")) }
        let reply = try await service.issue(bed.call(try Testbed.csr(1), for: "one"))
        #expect(reply.chain != nil)
        let challenges = model.report[.challenge]
        #expect(try await service.issue(bed.call(both, for: "both")).newOrders == 1)
        #expect(model.report[.challenge] <= challenges + 1)
        #expect(try await service.issue(bed.call(try Testbed.csr(2), for: "ready at once")).newOrders == 1)
        #expect(model.report[.challenge] <= challenges + 1)
      }
    }
  }

  @Test("a challenge that the CA is at already, and does not say so, is neither lost nor posted without end")
  func parallelValidation() async throws {
    var manners = Manners()
    manners.hidesProcessing = true
    manners.validationMilliseconds = 1200
    try await Testbed.withModel(manners) { bed, model in
      model.script([.unanswered], at: .challenge)
      try await bed.withService { service in
        let reply = try await service.issue(bed.call(try Testbed.csr(1)))
        #expect(reply.newOrders == 1)
      }
      #expect((2...4).contains(model.report[.challenge]))
    }
  }

  @Test("an order that has expired is begun anew, and both are counted")
  func expired() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        model.script([.half], at: .authorization)
        let csr = try Testbed.csr(1)
        _ = try await service.problem { try await service.issue(bed.call(csr)) }
        model.pass(.seconds(8 * 86_400))
        #expect(try await service.issue(bed.call(csr)).newOrders == 2)
      }
    }
  }

  @Test("a paused name is told with the whole link that ends the pause")
  func paused() async throws {
    var manners = Manners()
    manners.pausedNames = ["n1.acme.example"]
    try await Testbed.withModel(manners) { bed, model in
      try await bed.withService { service in
        let csr = try Testbed.csr(2)
        let problem = try await service.problem { try await service.issue(bed.call(csr)) }
        #expect(problem.error == .namePaused && !problem.final && problem.text.contains("n1.acme.example"))
        #expect(problem.help?.hasPrefix("https://portal.model.example/sfe/v1/unpause?jwt=") == true)
        #expect(problem.help?.utf8.count ?? 0 > 600)
        #expect(!problem.text.contains("https://"), "a link that was cut leads nowhere")
        model.behave { $0.pausedNames = [] }
        #expect(try await service.issue(bed.call(csr)).newOrders == 1)
      }
    }
  }

  @Test(
    "a limit is told with the time until it is filled up, and kept until then",
    arguments: [
      Limit(.ordersPerAccount, 1, per: 10_800), Limit(.certificatesPerDomain, 1, per: 10_800), Limit(.certificatesPerExactSet, 1, per: 10_800),
    ])
  func limits(limit: Limit) async throws {
    var manners = Manners()
    manners.limits = [limit]
    try await Testbed.withModel(manners) { bed, model in
      try await bed.withService { service in
        _ = try await service.issue(bed.call(try Testbed.csr(1), for: "first"))
        let csr = try Testbed.csr(1)
        let problem = try await service.problem { try await service.issue(bed.call(csr)) }
        #expect(problem.error == .rateLimited && problem.help == "https://letsencrypt.org/docs/rate-limits")
        let wait = try #require(problem.retryAfter)
        #expect((10_700...10_801).contains(wait) && problem.text.contains("wait \(wait) s"))
        #expect(model.report[.newOrder] == 2)
        model.pass(.seconds(10_801))
        #expect(try await service.issue(bed.call(csr)).newOrders == 1)
      }
    }
  }

  @Test("failed validations of a name are limited too")
  func failures() async throws {
    var manners = Manners()
    manners.limits = [Limit(.failuresPerName, 1, per: 3600)]
    try await Testbed.withModel(manners) { bed, _ in
      try await bed.withService { service in
        bed.answers.lose(CA.name("n0.acme.example"))
        let csr = try Testbed.csr(1)
        #expect(try await service.problem { try await service.issue(bed.call(csr)) }.error == .challengeFailed)
        let problem = try await service.problem { try await service.issue(bed.call(csr)) }
        #expect(problem.error == .rateLimited && problem.text.contains("n0.acme.example"))
      }
    }
  }

  @Test("one of two perspectives that sees nothing is enough to fail, one of three is not", arguments: [1, 2])
  func perspectives(others: Int) async throws {
    try await Testbed.withModel { bed, model in
      let blind = Perspective(port: 1)
      model.behave { $0.perspectives += [blind] + [Perspective](repeating: $0.perspectives[0], count: others - 1) }
      try await bed.withService { service in
        let csr = try Testbed.csr(1)
        if others == 1 {
          let problem = try await service.problem { try await service.issue(bed.call(csr)) }
          #expect(problem.error == .nameUnreachable && problem.text.contains("secondary validation"))
        } else {
          #expect(try await service.issue(bed.call(csr)).chain != nil)
        }
      }
    }
  }

  @Test("nonces that the CA has forgotten, and an account that it has, cost no order")
  func forgetful() async throws {
    try await Testbed.withModel { bed, model in
      try await bed.withService { service in
        _ = try await service.issue(bed.call(try Testbed.csr(1), for: "first"))
        model.expireNonces()
        #expect(try await service.issue(bed.call(try Testbed.csr(1), for: "second")).newOrders == 1)
        model.forgetAccounts()
        #expect(try await service.issue(bed.call(try Testbed.csr(1), for: "third")).newOrders == 1)
      }
      #expect(model.report.ordersMade == 3)
    }
  }

  @Test("what is not finished is asked for when the CA says, not before")
  func patience() async throws {
    var manners = Manners()
    manners.pollAfter = 1
    manners.processingAnswers = 2
    try await Testbed.withModel(manners) { bed, model in
      try await bed.withService { service in
        let reply = try await service.issue(bed.call(try Testbed.csr(1)))
        #expect(reply.chain != nil)
      }
      #expect(model.report[.order] == 3 && model.report[.authorization] <= 3)
    }
  }
}
