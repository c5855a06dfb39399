import ACMEClientAPI
import ModelAuthority
import NIOHTTP1
import PKI
import Testing

@testable import ACMEClient

/// One thing that goes wrong while a certificate for two names is obtained.
struct FaultCase: Sendable, CustomTestStringConvertible {
  /// What the caller is told by the call that meets the fault.
  struct Told: Sendable {
    var word: Problem.Word
    /// What the sentence says, among other things.
    var text = ""
    var retryAfter: Int?
    var help: String?
    var isFinal = false
  }

  var resource: Resource
  var faults: [Fault]
  /// Nil: the fault is overcome, and nobody hears of it.
  var told: Told?
  /// How many orders the CA made until the certificate was there.
  var orders = 1
  /// How many of them are charged to the CA's limits, with those that may have been made.
  var charged = 1
  /// How many certificates it issued.
  var certificates = 1

  init(
    _ resource: Resource, _ faults: Fault..., told: Told? = nil, orders: Int = 1, charged: Int = 1, certificates: Int = 1
  ) {
    self.resource = resource
    self.faults = faults
    self.told = told
    self.orders = orders
    self.charged = charged
    self.certificates = certificates
  }

  var testDescription: String { "\(resource): " + faults.map { String("\($0)".prefix(60)) }.joined(separator: ", ") }
}

extension FaultCase {
  static let busy = Fault.page(status: 503, retryAfter: nil)
  static let broken = Fault.refused(Refusal("serverInternal", status: 500, "something went wrong here"))
  static let html = Fault.body("<html><body>Welcome to this hotel's network</body></html>")
  static let limits = ["help": "https://letsencrypt.org/docs/rate-limits"]
  static let limited = Fault.refused(Refusal("rateLimited", status: 429, "too many", retryAfter: "7200", links: limits))
  static let large = Fault.swollen(bytes: 2 << 20)

  static func unavailable(_ text: String = "", retryAfter: Int? = nil) -> Told {
    Told(word: .caUnavailable, text: text, retryAfter: retryAfter)
  }

  static let rateLimited = Told(word: .rateLimited, text: "too many", retryAfter: 7200, help: "https://letsencrypt.org/docs/rate-limits")

  /// Before there is an order.
  static let beginning = [
    FaultCase(.directory, .page(status: 503, retryAfter: "120"), told: unavailable("503", retryAfter: 120)),
    FaultCase(.directory, html, told: unavailable("Directory")),
    FaultCase(.directory, .half, told: unavailable("Directory")),
    FaultCase(.directory, .cutOff, told: unavailable("cannot be reached")),
    FaultCase(.directory, .dropped, told: unavailable("cannot be reached")),
    FaultCase(.directory, large, told: unavailable("larger than makes sense")),
    FaultCase(.directory, .redirected(status: 302), told: unavailable("302")),
    FaultCase(.directory, .contentType("text/plain")),
    FaultCase(.newNonce, .without(header: "replay-nonce"), told: unavailable("no nonce")),
    FaultCase(.newNonce, busy, told: unavailable("503")),
    FaultCase(.newNonce, .dropped, told: unavailable("cannot be reached")),
    FaultCase(.newAccount, limited, told: rateLimited),
    FaultCase(.newAccount, .without(header: "location"), told: unavailable("no URL of the account")),
    FaultCase(.newAccount, .unanswered, told: unavailable("cannot be reached")),
    FaultCase(.newAccount, .without(header: "replay-nonce")),
    FaultCase(
      .newAccount, .refused(Refusal("unsupportedContact", status: 400, "no such domain")), told: .init(word: .accountProblem, text: "no such domain")),
  ]

  /// newOrder, whose answer decides what an order costs.
  static let ordering = [
    FaultCase(.newOrder, limited, told: rateLimited),
    FaultCase(
      .newOrder, .refused(Refusal("rateLimited", status: 503, "Service busy; retry later.", retryAfter: "5")),
      told: .init(word: .rateLimited, text: "Service busy", retryAfter: 5)),
    FaultCase(.newOrder, .page(status: 503, retryAfter: "600"), told: unavailable("503", retryAfter: 600), charged: 2),
    FaultCase(.newOrder, broken, told: unavailable("something went wrong here"), charged: 2),
    FaultCase(.newOrder, .dropped, told: unavailable("cannot be reached"), charged: 2),
    FaultCase(.newOrder, .unanswered, told: unavailable("cannot be reached"), orders: 2, charged: 2),
    FaultCase(.newOrder, .redirected(status: 307), told: unavailable("307"), charged: 2),
    FaultCase(.newOrder, .without(header: "location"), told: unavailable("no URL of the order"), orders: 2, charged: 2),
    FaultCase(.newOrder, large, told: unavailable("larger than makes sense"), orders: 2, charged: 2),
    FaultCase(.newOrder, .half),
    FaultCase(.newOrder, html),
    FaultCase(.newOrder, .contentType("text/plain")),
    FaultCase(.newOrder, .without(header: "replay-nonce")),
    FaultCase(.newOrder, .refused(Refusal("badNonce", status: 400, "stale")), .refused(Refusal("badNonce", status: 400, "stale"))),
    FaultCase(.newOrder, .refused(Refusal("malformed", status: 400, "what is this")), told: .init(word: .internalError, text: "what is this")),
    FaultCase(
      .newOrder, .refused(Refusal("rejectedIdentifier", status: 400, "no", names: ["n1.acme.example": "rejectedIdentifier"])),
      told: .init(word: .nameNotAllowed, text: "n1.acme.example", isFinal: true)),
    FaultCase(.newOrder, .refused(Refusal("unauthorized", status: 403, "suspended")), told: .init(word: .accountProblem, text: "suspended")),
    FaultCase(
      .newOrder,
      .refused(
        Refusal(
          "userActionRequired", status: 403, "terms have changed", retryAfter: "60", links: ["terms-of-service": "https://model.example/terms"],
          instance: "https://model.example/agree")),
      told: .init(word: .accountProblem, text: "https://model.example/agree", help: "https://model.example/agree")),
  ]

  /// Authorizations and challenges.
  static let validating = [
    FaultCase(.authorization, busy),
    FaultCase(.authorization, broken, .dropped, broken),
    FaultCase(.authorization, .cutOff),
    FaultCase(.authorization, .half, told: unavailable("Authorization")),
    FaultCase(.authorization, html, told: unavailable("Authorization")),
    FaultCase(.authorization, .page(status: 503, retryAfter: "3600"), told: unavailable("503", retryAfter: 3600)),
    FaultCase(.authorization, limited, told: rateLimited),
    FaultCase(.challenge, busy),
    FaultCase(.challenge, .dropped),
    FaultCase(.challenge, .unanswered),
    FaultCase(.challenge, .refused(Refusal("conflict", status: 409, "being validated"))),
    FaultCase(.challenge, .refused(Refusal("malformed", status: 400, "not pending any more"))),
    FaultCase(.challenge, limited, told: rateLimited),
    FaultCase(.challenge, .half, told: unavailable("Challenge")),
  ]

  /// finalize and the certificate.
  static let finishing = [
    FaultCase(.finalize, .refused(Refusal("orderNotReady", status: 403, "not yet"))),
    FaultCase(.finalize, .dropped),
    FaultCase(.finalize, .unanswered),
    FaultCase(.finalize, busy),
    FaultCase(.finalize, .half, told: unavailable("Order")),
    FaultCase(.finalize, limited, told: rateLimited),
    FaultCase(.finalize, .refused(Refusal("badCSR", status: 400, "no such key")), told: .init(word: .badCsr, text: "no such key", isFinal: true)),
    FaultCase(.finalize, .chain(.otherKey), told: .init(word: .internalError, text: "another key"), orders: 2, charged: 2, certificates: 2),
    FaultCase(.finalize, .chain(.otherName), told: .init(word: .internalError, text: "lacks the name"), orders: 2, charged: 2, certificates: 2),
    FaultCase(.finalize, .chain(.otherIssuer), told: .init(word: .internalError, text: "not issued by"), orders: 2, charged: 2, certificates: 2),
    FaultCase(.finalize, .chain(.ended), told: .init(word: .internalError, text: "has ended"), orders: 2, charged: 2, certificates: 2),
    FaultCase(.finalize, .chain(.notBegun), told: .init(word: .internalError, text: "begins no sooner"), orders: 2, charged: 2, certificates: 2),
    FaultCase(.finalize, .chain(.outOfTime), told: .init(word: .internalError, text: "before it begins"), orders: 2, charged: 2, certificates: 2),
    FaultCase(.certificate, .chain(.garbage), told: unavailable("of no use")),
    FaultCase(.certificate, .chain(.withKey), told: unavailable("no certificate")),
    FaultCase(.certificate, html, told: unavailable("no certificate")),
    FaultCase(.certificate, .body(""), told: unavailable("no certificate")),
    FaultCase(.certificate, large, told: unavailable("larger than makes sense")),
    FaultCase(.certificate, .chain(.cut), told: unavailable("has no end")),
    FaultCase(.certificate, busy, .dropped),
    FaultCase(.certificate, .contentType("text/plain")),
  ]
}

@Suite("A CA that goes wrong", .serialized, .timeLimit(.minutes(5)))
struct FaultTests {
  @Test(
    "is told as it is, asked no more than is due, and loses nothing",
    arguments: FaultCase.beginning + FaultCase.ordering + FaultCase.validating + FaultCase.finishing)
  func fault(_ subject: FaultCase) async throws {
    try await Testbed.withModel { bed, model in
      model.script(subject.faults, at: subject.resource)
      try await bed.withService { service in
        let csr = try Testbed.csr(2)
        if let told = subject.told {
          let problem = try await service.problem { try await service.issue(bed.call(csr)) }
          #expect(problem.error == told.word && problem.final == told.isFinal)
          #expect(problem.text.contains(told.text), "\(problem.text)")
          #expect(problem.retryAfter == told.retryAfter && problem.help == told.help)
        }
        let reply = try await service.issue(bed.call(csr))
        try CertificateChain(pem: try #require(reply.chain)).verify(against: csr)
        #expect(reply.newOrders == subject.charged)
        #expect(bed.answers.count == 0)
      }
      let report = model.report
      #expect(report.ordersMade == subject.orders)
      #expect(report.certificatesIssued == subject.certificates)
      #expect(report.total < 80, "\(report.requests)")
    }
  }

  @Test("a CA that drips an answer holds a request no longer than its limit")
  func dripping() async throws {
    try await Testbed.withModel { bed, model in
      model.keep(.dripping(milliseconds: 20), at: .directory)
      let transport = HTTPTransport(trustRoots: bed.trust, proxy: nil, timeLimit: .milliseconds(500))
      let url = try #require(ResourceURL(bed.directory))
      let error = await #expect(throws: ACMEError.self) { try await transport.send(Request(method: .GET, url: url)) }
      #expect(error?.code == .timedOut)
      await transport.shutdown()
    }
  }

  @Test("a CA that refuses every nonce is asked ten times and no more")
  func noGoodNonce() async throws {
    try await Testbed.withModel { bed, model in
      model.keep(.refused(Refusal("badNonce", status: 400, "stale")), at: .newOrder)
      try await bed.withService { service in
        let csr = try Testbed.csr(1)
        let problem = try await service.problem { try await service.issue(bed.call(csr)) }
        #expect(problem.error == .caUnavailable)
        #expect(model.report[.newOrder] == AuthorityConnection.mostNonces)
        model.keep(nil, at: .newOrder)
        #expect(try await service.issue(bed.call(csr)).newOrders == 1)
      }
    }
  }

  @Test("a CA that stays down is asked again a few times within one call, and then by the next")
  func down() async throws {
    // Both at once, for most of it is waiting.
    async let whileValidating: Void = down(at: .authorization)
    async let whileFinishing: Void = down(at: .finalize)
    _ = try await (whileValidating, whileFinishing)
  }

  private func down(at resource: Resource) async throws {
    try await Testbed.withModel { bed, model in
      model.keep(FaultCase.busy, at: resource)
      try await bed.withService { service in
        let csr = try Testbed.csr(1)
        let problem = try await service.problem { try await service.issue(bed.call(csr)) }
        #expect(problem.error == .caUnavailable)
        #expect(model.report[resource] <= OrderMachine.mostAttempts)
        model.keep(nil, at: resource)
        #expect(try await service.issue(bed.call(csr)).newOrders == 1)
      }
    }
  }

  @Test("an order whose answer was lost is found where the account lists its orders")
  func lost() async throws {
    var manners = Manners()
    manners.listsOrders = true
    try await Testbed.withModel(manners) { bed, model in
      model.script([.unanswered], at: .newOrder)
      try await bed.withService { service in
        let csr = try Testbed.csr(2)
        _ = try await service.problem { try await service.issue(bed.call(csr)) }
        #expect(try await service.issue(bed.call(csr)).newOrders == 1)
        #expect(model.report.ordersMade == 1)
      }
    }
  }

  @Test("a slow CA is waited for")
  func slow() async throws {
    try await Testbed.withModel { bed, model in
      for resource in Resource.allCases where ![.account, .orders, .order, .revokeCert, .keyChange, .renewalInfo].contains(resource) {
        model.script([.late(milliseconds: 100)], at: resource)
      }
      try await bed.withService { service in
        let reply = try await service.issue(bed.call(try Testbed.csr(1)))
        #expect(reply.newOrders == 1)
      }
    }
  }
}
