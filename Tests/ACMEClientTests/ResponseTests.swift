import NIOHTTP1
import PKI
import Testing

@testable import ACMEClient

@Suite("What is read from an answer")
struct ResponseTests {
  let now = Instant(milliseconds: 784_111_777_000)

  @Test("Retry-After is seconds")
  func seconds() {
    #expect(response(["retry-after": "120"]).retryAfter(now: now) == .seconds(120))
    #expect(response(["retry-after": "-5"]).retryAfter(now: now) == .zero)
    #expect(response(["retry-after": "99999999999"]).retryAfter(now: now) == .seconds(366 * 86_400))
    #expect(response(["retry-after": "soon"]).retryAfter(now: now) == nil)
    #expect(response([:]).retryAfter(now: now) == nil)
  }

  @Test("the CA's clock is its date, and as much later as a cache has kept the answer")
  func cached() {
    let fresh = Response(status: 200, headers: ["date": "Sun, 06 Nov 1994 08:49:17 GMT"], body: [])
    let kept = Response(status: 200, headers: ["date": "Sun, 06 Nov 1994 08:49:17 GMT", "age": "30"], body: [])
    #expect(fresh.dateOfToday == fresh.date && kept.dateOfToday == HTTPDate.parse("Sun, 06 Nov 1994 08:49:47 GMT"))
    #expect(Response(status: 200, headers: ["age": "30"], body: []).dateOfToday == nil)
  }

  @Test("Retry-After is a date, which counts from the CA's clock where it shows one")
  func date() {
    #expect(response(["retry-after": "Sun, 06 Nov 1994 08:49:47 GMT"]).retryAfter(now: now) == .seconds(10))
    let both: HTTPHeaders = ["retry-after": "Sun, 06 Nov 1994 08:49:47 GMT", "date": "Sun, 06 Nov 1994 08:49:17 GMT"]
    #expect(response(both).retryAfter(now: now) == .seconds(30))
    #expect(response(["retry-after": "Sun, 06 Nov 1994 08:00:00 GMT"]).retryAfter(now: now) == .zero)
  }

  @Test(
    "a date is RFC 9110's",
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
    ])
  func dates(text: String, seconds: Int64) {
    #expect(HTTPDate.parse(text) == Instant(milliseconds: seconds * 1000))
  }

  @Test(
    "what is no date is none",
    arguments: ["", "Sunday", "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"])
  func noDates(text: String) {
    #expect(HTTPDate.parse(text) == nil)
  }

  @Test("links are found by their relation, in several fields and in one")
  func links() {
    let url = CA.url("certificate/1")
    let answer = response([
      "link": #"<https://ca.example/dir>;rel="index", <https://ca.example/c/1>; title="a, b"; rel="alternate""#,
      "Link": "</c/2>;rel=alternate",
    ])
    #expect(answer.links("alternate", of: url) == [CA.url("c/1"), CA.url("c/2")])
    #expect(answer.links("index", of: url) == [CA.url("dir")])
    #expect(answer.links("up", of: url).isEmpty)
  }

  @Test(
    "a malformed link ends the reading and nothing else",
    arguments: ["", "<", "<>", "nonsense", "<https://x", "<https://ca.example/a>;rel=\"", ";;;"])
  func brokenLinks(field: String) {
    #expect(response(["link": field]).links("alternate", of: CA.url("x")).isEmpty)
  }

  @Test("a problem document is read only from its own media type")
  func refusal() {
    let body = Array(#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"slow down"}"#.utf8)
    let headers: HTTPHeaders = [
      "content-type": "application/problem+json; charset=utf-8", "retry-after": "9", "link": "<https://ca.example/h>;rel=\"help\"",
    ]
    let error = Response(status: 429, headers: headers, body: body).refusal(of: CA.url("newOrder"), now: now)
    #expect(error?.document?.type == .rateLimited && error?.retryAfter == .seconds(9) && error?.help == "https://ca.example/h")
    #expect(error?.isTransient == true)
    let page = Response(status: 404, headers: ["content-type": "text/html"], body: body).refusal(of: CA.url("newOrder"), now: now)
    #expect(page?.code == .badAnswer && page?.document == nil && page?.isTransient == false)
    #expect(Response(status: 201, headers: [:], body: []).refusal(of: CA.url("newOrder"), now: now) == nil)
  }

  private func response(_ headers: HTTPHeaders) -> Response { Response(status: 200, headers: headers, body: []) }
}
