import ACMEClientAPI
import NIOHTTP1
import PKI
import Testing

@testable import ACMEClient

@Suite("What the doctor makes of what it sees")
struct DiagnosisTests {
  private let name = CA.name("a.example")
  private let ours = KeyAuthorization(token: .random(), thumbprint: ChallengeToken.random().value)

  private var start: ProbeURL { ProbeURL(challenge: ours.token ?? .random(), of: name) }

  private func judge(
    _ end: ProbeWalk.End, at address: String = "8.8.8.8", source: String? = "8.8.4.4", isSplit: Bool = false, isOfOwnResolver: Bool = false,
    through redirects: [String] = [], _ change: (inout ProbeWalk) -> Void = { _ in }
  ) throws -> [Finding] {
    var walk = ProbeWalk(urls: [start], end: end)
    for location in redirects { walk.urls.append(try walk.last.following(location)) }
    change(&walk)
    let view = AddressJudgement.View(source: source.flatMap { IPAddress($0) }, isSplit: isSplit, isOfOwnResolver: isOfOwnResolver)
    return AddressJudgement(name, at: try #require(IPAddress(address)), walk, expecting: ours, from: view).findings
  }

  private func answer(_ status: Int, _ body: String = "", _ headers: HTTPHeaders = [:]) -> ProbeWalk.End {
    .outcome(.success(ProbeAnswer(status: status, headers: headers, body: Array(body.utf8))))
  }

  @Test("the bare answer is right, with a line end too")
  func right() throws {
    for body in [ours.value, ours.value + "\r\n"] {
      let finding = try #require(try judge(answer(200, body)).first)
      #expect(finding.code == .answered && finding.severity == .fine)
    }
    #expect(try judge(answer(200, ours.value)) { $0.time = .seconds(3) }.first?.code == .slow)
  }

  @Test("each wrong answer has its code")
  func wrong() throws {
    let cases: [(ProbeWalk.End, Finding.Code)] = [
      (answer(404, "not here"), .wrongServer), (answer(200, "welcome"), .wrongServer), (answer(200, ""), .wrongServer),
      (answer(200, "<html>\(ours.value)</html>"), .tokenWrapped), (answer(200, "\u{FEFF}" + ours.value), .tokenWrapped),
      (answer(200, ours.value + String(repeating: "\n", count: 100)), .bodyTooLong), (answer(401), .loginPage),
      (answer(200, "<form><input type=\"password\"></form>"), .loginPage), (answer(502), .serverFailed), (answer(303), .redirectNotFollowed),
      (answer(301), .redirectNotFollowed), (.loop, .redirectLoop), (.tooManyRedirects, .tooManyRedirects),
      (.refusedRedirect("http://a.example:8080/", .port(8_080)), .redirectToOtherPort),
      (.refusedRedirect("ftp://a.example/", .scheme("ftp")), .redirectNotFollowed),
      (.outcome(.failure(.refused)), .portClosed), (.outcome(.failure(.unanswered)), .filtered),
      (.outcome(.failure(.unreachable(beyond: true))), .unreachable),
      (.outcome(.failure(.silent)), .noAnswer), (.outcome(.failure(.cut)), .connectionCut), (.outcome(.failure(.notHTTP)), .notHTTP),
    ]
    for (end, code) in cases {
      let found = try judge(end)
      #expect(found.map(\.code) == [code] && found.first?.severity == .wrong, "\(end)")
      #expect(found.first?.text.hasSuffix(".") == true && found.first?.text.contains(name.value) == true)
    }
    #expect(try judge(.noAddress(name)).map(\.code) == [.redirectElsewhere])
    #expect(try judge(.noAddress(name)).map(\.severity) == [.doubtful], "others may see one")
  }

  @Test("who answered is said in its own words, as far as they are printable")
  func author() throws {
    let text = try #require(try judge(answer(404, "", ["server": "nginx\u{1b}[31m/1.27"])).first?.text)
    #expect(text.contains("“nginx[31m/1.27” (status 404)"))
  }

  @Test("what happens after a redirect is told as that")
  func redirects() throws {
    #expect(try judge(.outcome(.failure(.noTLS("handshake"))), through: ["https://a.example/x"]).first?.code == .httpsRedirectBroken)
    #expect(try judge(.outcome(.failure(.refused)), through: ["https://a.example/x"]).first?.code == .httpsRedirectBroken)
    #expect(try judge(answer(404), through: ["http://b.example/"]).first?.code == .redirectElsewhere)
    #expect(try judge(answer(200, ours.value), through: ["http://8.8.8.8/"]).map(\.code) == [.answered, .redirectToAddress])
    let elsewhere = try #require(try judge(.outcome(.failure(.unreachable(beyond: true))), through: ["http://b.example/"]).first)
    #expect(elsewhere.text.contains("connections there find no way; correct the redirect") && elsewhere.severity == .doubtful)
  }

  @Test("a redirect inside is wrong by the public DNS, and doubtful by our own, which may say it inside alone")
  func redirectInside() throws {
    let address = try #require(IPAddress("10.0.0.1"))
    let byName = ProbeWalk.End.notAllowed(.name(name), address)
    #expect(try judge(byName).map(\.severity) == [.wrong] && judge(byName).map(\.code) == [.privateAddress])
    let doubtful = try #require(try judge(byName, isOfOwnResolver: true).first)
    #expect(doubtful.severity == .doubtful && doubtful.text.contains("doctor.resolver"))
    #expect(try judge(.notAllowed(.address(address), address), isOfOwnResolver: true).map(\.severity) == [.wrong], "an address is no resolver's word")
  }

  @Test("a content delivery network is seen by its traces, beside whatever it answers")
  func network() throws {
    for headers: HTTPHeaders in [["cf-ray": "1"], ["server": "cloudflare"], ["via": "1.1 abc.cloudfront.net"], ["x-served-by": "cache"]] {
      #expect(try judge(answer(200, ours.value, headers)).map(\.code) == [.answered, .contentDelivery])
    }
    #expect(try judge(answer(200, ours.value, ["via": "1.1 proxy", "server": "Caddy"])).map(\.code) == [.answered])
  }

  @Test("the name is missing on a proxy that has the answer for one who asks without it")
  func missing() throws {
    #expect(try judge(answer(404)) { $0.isAnsweredWithoutName = true }.first?.code == .nameMissingOnProxy)
  }

  @Test("what only looks wrong from here is doubtful: behind an address translation, without a route, and behind other DNS")
  func doubtful() throws {
    let hidden = try judge(.outcome(.failure(.unanswered)), source: "192.168.1.2")
    #expect(hidden.first?.severity == .doubtful)
    #expect(try judge(.outcome(.failure(.unanswered)), at: "192.168.1.3", source: "192.168.1.2").first?.severity == .wrong)
    #expect(try judge(.outcome(.failure(.unreachable(beyond: false))), source: nil).first?.severity == .doubtful)
    #expect(try judge(answer(404), isSplit: true).first?.severity == .doubtful)
  }

  // MARK: - Redirects

  @Test(
    "a redirect leads where a CA goes, or is refused",
    arguments: [
      ("/x", "http://a.example/x"), ("https://b.example", "https://b.example/"), ("//b.example/y?z=1", "http://b.example/y?z=1"),
      ("HTTP://A.example:80/x", "http://a.example/x"), ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
    ])
  func follows(location: String, target: String) throws { #expect(try start.following(location).description == target) }

  @Test(
    "a redirect that no CA follows",
    arguments: [
      ("http://a.example:8080/", ProbeURL.Refusal.port(8_080)), ("ftp://a.example/", .scheme("ftp")), ("https://bad_name/", .unreadable),
      ("/" + String(repeating: "x", count: 2_000), .tooLong),
    ])
  func refuses(location: String, refusal: ProbeURL.Refusal) { #expect(throws: refusal) { try start.following(location) } }

  // MARK: - The DNS

  private func addresses(
    _ ipv6: Resolver.Lookup.Outcome, _ ipv4: Resolver.Lookup.Outcome, own: [String]? = nil, allowing: [String] = []
  ) -> NameJudgement {
    NameJudgement(
      name, ipv6: .init(outcome: ipv6), ipv4: .init(outcome: ipv4), own: own?.compactMap { IPAddress($0) },
      permission: AddressPermission(networks: allowing.compactMap { IPNetwork($0) }))
  }

  private func records(_ texts: String...) -> Resolver.Lookup.Outcome { .records(texts.compactMap { IPAddress($0).map { .address($0) } }) }

  @Test("a name without an address, and one of which nothing can be learned")
  func noAddress() {
    #expect(addresses(.noName, .noName).findings.map(\.code) == [.noAddress])
    #expect(addresses(.noData, .noData).findings.map(\.code) == [.noAddress])
    #expect(addresses(.noName, .noName).findings.map(\.severity) == [.doubtful], "the public DNS may know it")
    #expect(addresses(.noName, .noName, own: []).findings.map(\.severity) == [.wrong])
    #expect(addresses(.aliasLoop, .aliasLoop).findings.map(\.code) == [.cnameLoop])
    let failed = addresses(.failed(.serverFailure), .failed(.serverFailure)).findings
    #expect(failed.map(\.code) == [.noDNSAnswer] && failed.map(\.severity) == [.wrong])
    #expect(addresses(.silent, .silent).findings.map(\.severity) == [.doubtful], "another resolver may know")
    #expect(addresses(.failed(.serverFailure), records("8.8.8.8")).findings.map(\.severity) == [.doubtful])
  }

  @Test("addresses that are not public are told and not visited, unless they are listed")
  func notPublic() {
    let inside = addresses(.noData, records("10.0.0.1", "127.0.0.1", "8.8.8.8"))
    #expect(inside.findings.map(\.code) == [.privateAddress, .addressNotAllowed] && inside.findings.map(\.severity) == [.wrong, .wrong])
    #expect(inside.addresses.map(\.description) == ["8.8.8.8"])
    #expect(addresses(records("::ffff:8.8.8.8", "fe80::1"), .noData).addresses.isEmpty)
    #expect(addresses(.noData, records("10.0.0.1")).findings.map(\.severity) == [.doubtful], "the public DNS may have another")
    #expect(addresses(.noData, records("10.0.0.1"), own: []).findings.map(\.severity) == [.wrong], "the public DNS was asked")
    let listed = addresses(records("::1"), records("10.0.0.1"), allowing: ["10.0.0.0/8", "::1"])
    #expect(listed.findings.isEmpty && listed.addresses.map(\.description) == ["::1", "10.0.0.1"])
  }

  @Test("of very many addresses four of each family are visited, and that is said")
  func many() {
    let (six, four) = ((1...9).map { "2606:4700::\($0)" }, (1...9).map { "8.8.8.\($0)" })
    func records(_ texts: [String]) -> Resolver.Lookup.Outcome { .records(texts.compactMap { IPAddress($0).map { .address($0) } }) }
    let judgement = addresses(records(six), records(four))
    #expect(judgement.addresses.map(\.description) == Array(six.prefix(4) + four.prefix(4)))
    #expect(judgement.findings.map(\.code) == [.manyAddresses] && judgement.findings.first?.text.contains("18 addresses, of which 8") == true)
  }

  @Test("this machine's own resolver has other addresses")
  func split() {
    let judgement = addresses(.noData, records("8.8.8.8"), own: ["10.0.0.1"])
    #expect(judgement.isSplit && judgement.findings.map(\.code) == [.splitHorizon])
    #expect(!addresses(.noData, records("8.8.8.8"), own: ["8.8.4.4"]).isSplit)
  }

  @Test("IPv6 that does not answer where IPv4 does is one finding, and so is an address translation")
  func together() throws {
    var judgement = addresses(records("2606:4700::1"), records("8.8.8.8"))
    let (six, four) = (try #require(IPAddress("2606:4700::1")), try #require(IPAddress("8.8.8.8")))
    func at(_ address: IPAddress, _ end: ProbeWalk.End, from source: String) -> (address: IPAddress, judgement: AddressJudgement) {
      (address, AddressJudgement(name, at: address, ProbeWalk(urls: [start], end: end), expecting: ours, from: .init(source: IPAddress(source))))
    }
    judgement.add([at(six, .outcome(.failure(.refused)), from: "2606:4700::2"), at(four, answer(200, ours.value), from: "8.8.4.4")], name: name)
    #expect(judgement.findings.map(\.code) == [.brokenIPv6, .answered])
    judgement = addresses(records("2606:4700::1"), records("8.8.8.8"))
    judgement.add([at(six, answer(200, ours.value), from: "2606:4700::2"), at(four, .outcome(.failure(.refused)), from: "8.8.4.4")], name: name)
    #expect(judgement.findings.map(\.code) == [.answered, .portClosed] && judgement.findings.map(\.severity) == [.fine, .doubtful])
    var hidden = addresses(.noData, records("8.8.8.8"))
    hidden.add([at(four, .outcome(.failure(.refused)), from: "192.168.0.2")], name: name)
    #expect(hidden.findings.map(\.code) == [.portClosed, .natHairpin] && hidden.findings.allSatisfy { $0.severity == .doubtful })
  }

  // MARK: - CAA

  private static let issuer = CAAJudgement.Issuer(identities: ["ca.example"], account: "https://ca.example/acct/1")

  private func authorization(
    _ properties: [(String, String)], flags: UInt8 = 0, issuer: CAAJudgement.Issuer? = issuer
  ) -> (Finding.Code, Finding.Severity)? {
    let records = properties.map { DNSMessage.Record.Content.authorization(CAARecord(flags: flags, tag: $0.0, value: $0.1)) }
    let finding = CAAJudgement(name, [(name, .init(outcome: .records(records)))], issuer: issuer).finding
    return finding.map { ($0.code, $0.severity) }
  }

  @Test(
    "CAA that lets Let's Encrypt issue, were it called ca.example",
    arguments: [
      [("issue", "ca.example")], [("issue", "other.example"), ("issue", "ca.example; x=1")], [("iodef", "mailto:a@b.example")], [("issuewild", ";")],
      [("issue", "ca.example; accounturi=https://ca.example/acct/1; validationmethods=dns-01,http-01")],
      [("issue", "ca.example;")], [("issue", "\tca.example ; \t")], [("issue", "ca.example; foo=; baz = a=b ")], [("issue", "ca.example; =x")],
      [("issue", "ca.example; odd"), ("issue", "ca.example")], [("issue", "ca.example; validationmethods=http-01,,")],
      [("issue", "ca.example; validationmethods=unheard-of,http-01")], [("issue", "ca.example; ValidationMethods=dns-01")],
      [("contactemail", "a@b.example"), ("issue", "ca.example")],
    ])
  func allowed(properties: [(String, String)]) { #expect(authorization(properties) == nil) }

  @Test(
    "CAA that does not",
    arguments: [
      [("issue", "other.example")], [("issue", ";")], [("issue", "")], [("issue", "ca.example; odd")],
      [("issue", "ca.example; validationmethods=dns-01")], [("issue", "ca.example; accounturi=https://ca.example/acct/2")],
      [("issue", "CA.example")], [("issue", "ca.example.")], [("issue", "ca.example;;")], [("issue", "ca.example; x=1;")],
      [("issue", "ca.example; validationmethods=dns-01, http-01")], [("issue", "ca.example; validationmethods=HTTP-01")],
      [("issue", "ca.example; validationmethods=")], [("issue", "ca.example; validationmethods=,http-01")],
      [("issue", "ca.example; validationmethods=http-01; validationmethods=http-01")],
      [("issue", "ca.example; accounturi=https://ca.example/acct/1; accounturi=https://ca.example/acct/1")],
      [("issue", "ca.example; a_b=1")], [("issue", "ca.example; a-b=1")], [("issue", "ca.example; a=1 2")], [("issue", "ca.example; a=\u{2615}")],
      [("issue", "ca.example a=1")],
    ])
  func forbidden(properties: [(String, String)]) throws {
    let (code, severity) = try #require(authorization(properties))
    #expect(code == .caaForbids && severity == .wrong)
  }

  @Test("a critical property that CAs do not understand forbids, whether its bit is 128 or the misread 1; other bits do not count")
  func critical() throws {
    for flags: UInt8 in [128, 1, 129, 9, 255] {
      for tag in ["future", "contactemail", "contactphone", "issuevmc", ""] {
        #expect(try #require(authorization([(tag, "x"), ("issue", "ca.example")], flags: flags)) == (.caaForbids, .wrong), "\(flags) \(tag)")
      }
      for tag in ["issuewild", "iodef", "issuemail"] { #expect(authorization([(tag, "x"), ("issue", "ca.example")], flags: flags) == nil) }
    }
    #expect(authorization([("future", "x")], flags: 0x7E) == nil)
  }

  @Test("a CA that is not known, or does not say who it is, leaves it open, unless nobody may issue; and so does an account that is not there yet")
  func open() throws {
    let other = [("issue", "other.example")]
    #expect(try #require(authorization(other, issuer: nil)) == (.authorityUnread, .doubtful))
    #expect(try #require(authorization(other, issuer: .init())) == (.authorityUnread, .doubtful))
    #expect(try #require(authorization([("issue", ";")], issuer: nil)) == (.caaForbids, .wrong))
    let bound = [("issue", "ca.example; accounturi=https://ca.example/acct/1")]
    #expect(try #require(authorization(bound, issuer: .init(identities: ["ca.example"]))) == (.caaForbids, .doubtful))
  }

  @Test("a top-level domain that does not exist is one that is not answered for, where it is a public one")
  func noTopLevel() throws {
    func code(_ name: String) throws -> Finding.Code? {
      let (name, domain) = (CA.name(name), try #require(CA.name(name).parent))
      return CAAJudgement(name, [(name, .init(outcome: .noName)), (domain, .init(outcome: .noName))], issuer: Self.issuer).finding?.code
    }
    #expect(try code("a.gone") == .caaUnreadable)
    #expect(try code("a.lan") == nil)
  }

  @Test("the nearest domain decides, and one that does not answer leaves it open")
  func nearest() {
    let forbids = Resolver.Lookup(outcome: .records([.authorization(CAARecord(flags: 0, tag: "issue", value: ";"))]))
    let domain = CA.name("example")
    func code(_ own: Resolver.Lookup.Outcome, _ above: Resolver.Lookup) -> Finding.Code? {
      CAAJudgement(name, [(name, .init(outcome: own)), (domain, above)], issuer: Self.issuer).finding?.code
    }
    #expect(code(.noData, forbids) == .caaForbids)
    #expect(code(.records([.authorization(CAARecord(flags: 0, tag: "issue", value: "ca.example"))]), forbids) == nil)
    #expect(code(.failed(.serverFailure), forbids) == .caaUnreadable)
    #expect(code(.noName, .init(outcome: .silent)) == .caaUnreadable)
    #expect(code(.noName, .init(outcome: .noData)) == nil)
  }
}
