import ACMEClientAPI
import FoundationEssentials
import ModelAuthority
import PKI
import Testing

@testable import ACMEClient

/// RFC 9773, section 4.
@Suite("When the CA wants a certificate renewed", .serialized, .timeLimit(.minutes(2)))
struct RenewalInfoTests {
  @Test("the window is told as the CA gives it, for serial numbers with a leading zero too")
  func window() async throws {
    try await with { bed, model, service, chain in
      let info = try await ask(bed, service, chain)
      let start = try #require(info.start)
      // A third of 90 days before the end, more or less a hundredth.
      #expect(abs((start - model.now).components.seconds - (60 * 86_400 - 3600 - 77_760)) < 120)
      #expect(try #require(info.end) - start == .seconds(2 * 77_760))
      #expect(info == .init(supported: true, start: start, end: info.end, retryAfter: 21_600, date: info.date))
      for index in 1...5 {
        let other = try #require(try await service.issue(bed.call(try Testbed.csr(1), for: "\(index)")).chain)
        #expect(try await ask(bed, service, other).supported)
      }
    }
  }

  @Test("a window that is over comes with the CA's explanation")
  func red() async throws {
    try await with { bed, model, service, chain in
      try tell(model, .red(now: model.now, explanation: "https://model.example/incident"), about: chain)
      let info = try await ask(bed, service, chain)
      #expect(try #require(info.end) < model.now && info.explanation == "https://model.example/incident")
    }
  }

  @Test(
    "what a person could not safely follow is no explanation",
    arguments: ["javascript:alert(1)", "http://model.example/", "https://user@model.example/", "https://model.example/ x", "", "ftp://model.example"])
  func explanation(url: String) async throws {
    try await with { bed, model, service, chain in
      try tell(model, RenewalAnswer(from: model.now, to: model.now + .seconds(60), explanation: url), about: chain)
      let info = try await ask(bed, service, chain)
      #expect(info.start != nil && info.explanation == nil)
    }
  }

  @Test(
    "Retry-After is passed on in seconds, and is absent where it makes no sense",
    arguments: [("60", 60), ("soon", nil), ("99999999999", 366 * 86_400), (nil, nil)] as [(String?, Int?)])
  func retryAfter(field: String?, seconds: Int?) async throws {
    try await with { bed, model, service, chain in
      try tell(model, RenewalAnswer(from: model.now, to: model.now + .seconds(60), retryAfter: field), about: chain)
      #expect(try await ask(bed, service, chain).retryAfter == seconds)
    }
  }

  @Test(
    "what is no window is none, and lasts",
    arguments: [
      #"{"suggestedWindow":{"start":"2026-01-02T00:00:00Z","end":"2026-01-01T00:00:00Z"}}"#,
      #"{"suggestedWindow":{"start":"2026-01-02T00:00:00Z","end":"2026-01-02T00:00:00Z"}}"#,
      #"{"suggestedWindow":{"start":"2026-02-30T00:00:00Z","end":"2027-01-02T00:00:00Z"}}"#,
      #"{"suggestedWindow":{"start":"2026-01-02T00:00:00Z"}}"#, #"{"suggestedWindow":{"start":"2026-01-02","end":"2026-01-03"}}"#,
      #"{"suggestedWindow":{"start":1767312000,"end":1767398400}}"#, #"{"suggestedWindow":null}"#, "{}", "[]", "", "<html>",
      #"{"suggestedWindow":{"start":"2026-01-02T00:00:00Z","end":"2026-01-03T00:00:00Z"}}"# + String(repeating: " ", count: 20_000),
    ])
  func malformed(body: String) async throws {
    try await with { bed, model, service, chain in
      try tell(model, RenewalAnswer(body: body), about: chain)
      let problem = try await service.problem { try await ask(bed, service, chain) }
      #expect(problem.error == .noRenewalInfo)
      #expect(model.report[.renewalInfo] == 1)
    }
  }

  @Test(
    "what may pass a moment later is told from what lasts, after one request",
    arguments: [
      (Fault.page(status: 503, retryAfter: "120"), Problem.Word.caUnavailable, 120),
      (.refused(Refusal("serverInternal", status: 500, "down")), .caUnavailable, nil),
      (.dropped, .caUnavailable, nil), (.cutOff, .caUnavailable, nil),
      (.refused(Refusal("rateLimited", status: 429, "slower", retryAfter: "30")), .rateLimited, 30),
      (.refused(Refusal("malformed", status: 404, "no such certificate")), .noRenewalInfo, nil),
      (.redirected(status: 302), .noRenewalInfo, nil), (.swollen(bytes: 2 << 20), .noRenewalInfo, nil),
    ] as [(Fault, Problem.Word, Int?)])
  func fault(_ fault: Fault, word: Problem.Word, retryAfter: Int?) async throws {
    try await with { bed, model, service, chain in
      model.script([fault], at: .renewalInfo)
      let problem = try await service.problem { try await ask(bed, service, chain) }
      #expect(problem.error == word && problem.retryAfter == retryAfter)
      #expect(model.report[.renewalInfo] == 1)
      #expect(try await ask(bed, service, chain).supported)
    }
  }

  @Test("a CA that refuses the connection, and a name that does not resolve, last", arguments: ["localhost:1", "nowhere.invalid"])
  func unreachable(host: String) async throws {
    try await with { bed, _, service, chain in
      var authority = bed.authority
      authority.directory = "https://\(host)/directory"
      let call = ACMEClient.GetRenewalInfo.Parameters(authority: authority, certificate: chain)
      let problem = try await service.problem { try await service.certificates.renewalInfo(call) }
      #expect(problem.error == .noRenewalInfo)
    }
  }

  @Test("a CA without renewal information is not asked; what its clock shows is known from its other answers")
  func unsupported() async throws {
    var manners = Manners()
    manners.hasRenewalInfo = false
    try await with(manners) { bed, model, service, chain in
      let info = try await ask(bed, service, chain)
      #expect(info == .init(supported: false, date: info.date) && info.date != nil)
      #expect(model.report[.renewalInfo] == 0)
    }
  }

  @Test(
    "a time is RFC 3339's: with a fraction, with an offset, in either case",
    arguments: [
      ("2026-11-24T15:00:00Z", 0), ("2026-11-24t15:00:00z", 0), ("2026-11-24T15:00:00.000Z", 0), ("2026-11-24T15:00:00.25Z", 250),
      ("2026-11-24T15:00:00.123456789Z", 123), ("2026-11-24T17:30:00+02:30", 0), ("2026-11-24T10:00:00-05:00", 0),
      ("2026-11-25T00:00:00.5+09:00", 500), ("2026-11-24T14:59:60Z", 0),
    ])
  func timestamp(text: String, milliseconds: Int64) {
    #expect(Timestamp.parse(text) == Instant(milliseconds: 1_795_532_400_000 + milliseconds))
  }

  @Test(
    "what is no time is none",
    arguments: [
      "", "2026-11-24", "2026-11-24 15:00:00Z", "2026-11-24T15:00:00", "2026-13-24T15:00:00Z", "2026-02-29T15:00:00Z", "2026-11-24T24:00:00Z",
      "2026-11-24T15:00:00+24:00", "2026-11-24T15:00:00.Z", "1769-01-01T00:00:00Z", "٢٠٢٦-11-24T15:00:00Z", "2026-11-24T15:00:00ZZ",
    ])
  func noTimestamp(text: String) {
    #expect(Timestamp.parse(text) == nil)
  }

  /// With a certificate that was issued.
  private func with(
    _ manners: Manners = Manners(), _ body: @escaping @Sendable (Testbed, ModelAuthority, ACMEClientInterface, String) async throws -> Void
  ) async throws {
    try await Testbed.withModel(manners) { bed, model in
      try await bed.withService { service in
        try await body(bed, model, service, try #require(try await service.issue(bed.call(try Testbed.csr(1))).chain))
      }
    }
  }

  private func ask(_ bed: Testbed, _ service: ACMEClientInterface, _ chain: String) async throws -> ACMEClient.GetRenewalInfo.Reply {
    try await service.certificates.renewalInfo(.init(authority: bed.authority, certificate: chain))
  }

  private func tell(_ model: ModelAuthority, _ answer: RenewalAnswer, about chain: String) throws {
    model.answer(answer, about: try #require(try CertificateChain(pem: chain).leaf.identifier).value)
  }
}
