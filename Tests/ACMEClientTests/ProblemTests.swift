import ACMEClientAPI
import FoundationEssentials
import PKI
import ResponderAPI
import Testing

@testable import ACMEClient

@Suite("What the device is told")
struct ProblemTests {
  @Test(
    "a CA's error type about a name becomes a word of the device protocol",
    arguments: [
      ("connection", Problem.Word.nameUnreachable), ("dns", .nameUnreachable), ("caa", .caaForbids), ("unauthorized", .challengeFailed),
      ("incorrectResponse", .challengeFailed), ("tls", .challengeFailed), ("rejectedIdentifier", .nameNotAllowed),
      ("newAndUnheardOf", .challengeFailed),
    ])
  func names(type: String, word: Problem.Word) {
    let problem = Problem(OrderFailure.names([NameFailure(name: CA.name("a.example"), cause: .refused(CA.problem(type)))]))
    #expect(problem.error == word)
    #expect(problem.name == CA.name("a.example"))
    #expect(problem.acmeType == "urn:ietf:params:acme:error:\(type)")
    #expect(problem.text.contains("a.example") && problem.text.contains("because") && problem.text.contains(word.advice))
  }

  @Test(
    "who came for the answer tells where to look when the CA has not found it",
    arguments: [
      ("connection", ["192.0.2.1", "2001:db8::1", "192.0.2.1"], "3 requests from 2 addresses (192.0.2.1, 2001:db8::1) got the right answer"),
      ("unauthorized", ["192.0.2.1"], "1 request from 192.0.2.1 got the right answer here, so a filter on the way"),
      ("unauthorized", [], "nobody has asked here for the answer"), ("caa", [], nil), ("dns", [], nil), ("connection", nil, nil),
    ] as [(String, [String]?, String?)])
  func visits(type: String, addresses: [String]?, hint: String?) {
    let visits = addresses.map { Visits($0.enumerated().map { .init(address: $0.element, time: Instant(milliseconds: Int64($0.offset))) }) }
    func failure(_ visits: Visits?, answeredBy holders: [String]) -> NameFailure {
      NameFailure(name: CA.name("a.example"), cause: .refused(CA.problem(type)), answeredBy: holders, visits: visits)
    }
    let own = failure(visits, answeredBy: ["challenge-http"])
    if let hint {
      #expect(Problem(OrderFailure.names([own])).text.contains(hint))
    } else {
      #expect(own.reason == failure(nil, answeredBy: ["challenge-http"]).reason)
    }
    // Another one that answers does not tell who has come.
    let shared = failure(Visits([]), answeredBy: ["challenge-http", "webroot"])
    #expect(!Problem(OrderFailure.names([shared])).text.contains("nobody"))
  }

  @Test("a reverse proxy that looked the answer up is named among those who came")
  func lookUp() {
    let visits = Visits([
      .init(address: "192.0.2.4", time: Instant(milliseconds: 1), asker: "proxy"), .init(address: "192.0.2.4", time: Instant(milliseconds: 2)),
    ])
    #expect(visits.summary == "2 requests from 2 addresses (192.0.2.4, where proxy looked it up, 192.0.2.4)")
  }

  @Test(
    "a refused request becomes a word of the device protocol",
    arguments: [
      ("badCSR", Problem.Word.badCsr, true), ("badPublicKey", .weakKey, true), ("rejectedIdentifier", .nameNotAllowed, true),
      ("rateLimited", .rateLimited, false), ("serverInternal", .caUnavailable, false), ("accountDoesNotExist", .accountProblem, false),
      ("externalAccountRequired", .accountProblem, false), ("caa", .caaForbids, false),
      ("malformed", .internalError, false), ("badNonce", .caUnavailable, false),
    ])
  func requests(type: String, word: Problem.Word, isFinal: Bool) {
    let problem = Problem(CA.refusal(type, status: 400, retryAfter: .milliseconds(2500)))
    #expect(problem.error == word && problem.final == isFinal)
    #expect(problem.retryAfter == 3)
  }

  @Test("new terms want a person, not another try")
  func newTerms() {
    var error = CA.refusal("userActionRequired", status: 403, retryAfter: .seconds(60))
    error.help = "https://ca.example/terms"
    let problem = Problem(error)
    #expect(problem.error == .accountProblem && !problem.final && problem.retryAfter == nil)
    #expect(problem.text.contains("https://ca.example/terms") && problem.help == "https://ca.example/terms")
  }

  @Test("a finalize that is refused though all names are validated is about the CSR, for good")
  func finalize() {
    var error = CA.refusal("unauthorized", status: 403)
    error.endpoint = .finalize
    #expect(Problem(error).error == .badCsr && Problem(error).final)
  }

  @Test("the account's key is not taken for the device's")
  func accountKey() {
    var error = CA.refusal("badPublicKey", status: 400)
    error.endpoint = .newAccount
    #expect(Problem(error).error == .accountProblem && !Problem(error).final)
  }

  @Test("an order that ends unauthorized is about its names, not the account")
  func unauthorizedOrder() {
    #expect(Problem(OrderFailure.order(CA.problem("unauthorized"))).error == .challengeFailed)
  }

  @Test("a name that the CA was never asked about is not said to be refused by it")
  func notAsked() {
    let failure = NameFailure(name: CA.name("a.example"), cause: .notPublished("challenge-http: not there"))
    let text = Problem(OrderFailure.names([failure])).text
    #expect(text.contains("was not asked") && text.contains("challenge-http") && !text.contains("could not validate"))
  }

  @Test("of several names that fail the one that cannot succeed gives the word")
  func finalFirst() {
    let failures = [("a.example", "connection"), ("b.example", "rejectedIdentifier")].map {
      NameFailure(name: CA.name($0.0), cause: .refused(CA.problem($0.1)))
    }
    let problem = Problem(OrderFailure.names(failures))
    #expect(problem.error == .nameNotAllowed && problem.final && problem.acmeType?.hasSuffix("rejectedIdentifier") == true)
  }

  @Test("subproblems say which names stand in the way")
  func subproblems() throws {
    let json = """
      {"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no","subproblems":[
        {"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"blocked","identifier":{"type":"dns","value":"a.example"}},
        {"type":"urn:ietf:params:acme:error:malformed","detail":"odd","identifier":{"type":"dns","value":"B.example"}}]}
      """
    var error = ACMEError(.refused, "", "")
    error.document = try JSONDecoder().decode(ProblemDocument.self, from: Data(json.utf8))
    let problem = Problem(error)
    #expect(problem.names.map(\.name) == [CA.name("a.example"), CA.name("b.example")])
    #expect(problem.text.contains("a.example") && problem.name == nil && problem.final)
  }

  @Test("several names that fail are all listed, the first few in the sentence")
  func manyNames() {
    let failures = (1...5).map { NameFailure(name: CA.name("n\($0).example"), cause: .refused(CA.problem("connection"))) }
    let problem = Problem(OrderFailure.names(failures))
    #expect(problem.names.count == 5 && problem.name == nil)
    #expect(problem.text.contains("n3.example") && !problem.text.contains("n4.example") && problem.text.contains("2 more"))
  }

  @Test("a paused name comes with the page that ends the pause")
  func paused() {
    var error = CA.refusal("rateLimited", status: 429)
    error.document = CA.problem("rateLimited", "Please visit https://portal.ca.example/sfe/v1/unpause?jwt=x. Thank you")
    let problem = Problem(error)
    #expect(problem.error == .namePaused)
    #expect(problem.help == "https://portal.ca.example/sfe/v1/unpause?jwt=x")
  }

  @Test("too many names for the profile is told from Let's Encrypt's words")
  func profileLimit() {
    var error = CA.refusal("malformed", status: 400)
    error.document = CA.problem("malformed", "Order cannot contain more than 25 DNS names")
    #expect(Problem(error).error == .profileLimit)
  }

  @Test("a CA without an answer is unavailable, not the device's fault")
  func unreachable() {
    let problem = Problem(ACMEError(.unreachable, "https://ca.example/", "down"))
    #expect(problem.error == .caUnavailable && !problem.final)
  }

  @Test("a rejected CSR keeps its word", arguments: [SigningRequestRejection.Code.badCsr, .weakKey, .wildcardNotSupported, .tooManyNames])
  func rejections(code: SigningRequestRejection.Code) {
    let problem = Problem(SigningRequestRejection(code, name: "a.example", "It is so."))
    #expect(problem.error.rawValue == code.rawValue && problem.final && problem.name == CA.name("a.example"))
  }

  @Test("a foreign text is bounded and in one line")
  func foreignText() throws {
    let long = String(repeating: "x", count: 5000)
    let document = try JSONDecoder().decode(ProblemDocument.self, from: Data(#"{"type":7,"detail":"a\nb\u0007\#(long)"}"#.utf8))
    #expect(document.type == .blank)
    #expect(document.detail.hasPrefix("a b x") && document.detail.count == 500)
    let typed = try JSONDecoder().decode(ProblemDocument.self, from: Data(#"{"type":"a\n\u009b\#(long)"}"#.utf8))
    #expect(typed.type.rawValue.hasPrefix("a  x") && typed.type.rawValue.count == 200)
  }
}
