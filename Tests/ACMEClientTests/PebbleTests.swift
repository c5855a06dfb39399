import ACMEClientAPI
import Crypto
import FoundationEssentials
import PKI
import ServiceRuntime
import Synchronization
import Testing

@testable import ACMEClient

/// Whole issuances with a real CA.
@Suite("With Pebble", .serialized, .timeLimit(.minutes(2)))
struct PebbleTests {
  @Test("a certificate for 1, 3, 25 and 100 names, each for its CSR, without a root", arguments: [1, 3, 25, 100])
  func names(count: Int) async throws {
    try await Testbed.with { bed in
      try await bed.withService { service in
        let csr = try Testbed.csr(count)
        let steps = Steps()
        let reply = try await service.issue(bed.call(csr)) { steps.add($0) }
        #expect(steps.stages == [.ordering, .challenging, .finalizing] && reply.step == .issued && reply.newOrders == 1)
        // Of many names the CA is asked about the order alone.
        #expect(Set(steps.names).isSubset(of: csr.names) && (count > 4 || steps.names.count == count))
        let difference = try #require(reply.date) - WallClock.system.now()
        #expect(max(difference, .zero - difference) < .seconds(60), "the CA's clock is this machine's")
        let chain = try CertificateChain(pem: try #require(reply.chain))
        try chain.verify(against: csr)
        #expect(!chain.issuers.isEmpty && chain == chain.withoutRoot)
        #expect(bed.answers.published.count == count)
      }
    }
  }

  @Test("a fifth of all nonces refused changes nothing but the time it takes")
  func nonces() async throws {
    try await Testbed.with(.init(refusedNonces: 20)) { bed in
      try await bed.withService { service in
        let reply = try await service.issue(bed.call(try Testbed.csr(25)))
        #expect(reply.chain != nil && reply.newOrders == 1)
      }
    }
  }

  @Test("names that are proved already are not proved again")
  func reuse() async throws {
    try await Testbed.with(.init(reusedAuthorizations: 100)) { bed in
      try await bed.withService { service in
        for request in ["first", "second"] {
          _ = try await service.issue(bed.call(try Testbed.csr(3), for: request))
        }
        #expect(bed.answers.published.values.max() == 1)
      }
    }
  }

  @Test("alternate chains come along, and the preferred root is chosen")
  func alternates() async throws {
    try await Testbed.with(.init(alternateRoots: 2)) { bed in
      try await bed.withService { service in
        let reply = try await service.issue(bed.call(try Testbed.csr(1), for: "default"))
        let alternates = try #require(reply.alternates)
        #expect(alternates.count == 2)
        let other = try CertificateChain(pem: alternates[0])
        var authority = bed.authority
        authority.preferredChain = (other.issuers.last ?? other.leaf).issuerCommonName
        let chosen = try await service.issue(bed.call(try Testbed.csr(1), for: "chosen", authority: authority))
        #expect(try CertificateChain(pem: chosen.chain ?? "").endsIn(rootCommonName: authority.preferredChain ?? ""))
        #expect(chosen.alternates?.count == 2)
      }
    }
  }

  @Test("an external account is bound from the credential; without it the account is the problem")
  func externalAccount() async throws {
    try await Testbed.with(.init(externalAccount: true)) { bed in
      try await bed.withService { service in
        let problem = try await service.problem { try await service.issue(bed.call(try Testbed.csr(1))) }
        #expect(problem.error == .accountProblem && problem.text.contains("external-account"))
      }
      let credentials = bed.folder.appending(component: "credentials")
      try FileManager.default.createDirectory(at: credentials, withIntermediateDirectories: true)
      let binding = #"{"kid":"kid-1","hmacKey":"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}"#
      try Data(binding.utf8).write(to: credentials.appending(component: "external-account"))
      try await bed.withService(variables: ["CREDENTIALS_DIRECTORY": credentials.path]) { service in
        let reply = try await service.issue(bed.call(try Testbed.csr(1)))
        #expect(reply.chain != nil)
      }
    }
  }

  @Test("the account's key is in no certificate: the CA is not asked for one")
  func accountKey() async throws {
    try await Testbed.with { bed in
      try await bed.withService { service in
        let key = P256.Signing.PrivateKey()
        let file = bed.folder.appending(component: "account.pem")
        try AtomicFile(file).write(Array(key.pemRepresentation.utf8))
        var authority = bed.authority
        authority.accountKey = "file:\(file.path)"
        let csr = try SigningKey(pem: key.pemRepresentation).signingRequest(for: [CA.name("n0.acme.example")])
        let call = bed.call(csr, for: "request", authority: authority)
        let problem = try await service.problem { try await service.issue(call) }
        #expect(problem.error == .newKeyRequired && problem.final)
      }
    }
  }

  @Test("a certificate is revoked by the account that obtained it and by no other, and once is enough")
  func revoked() async throws {
    try await Testbed.with { bed in
      try await bed.withService { service in
        let chain = try #require(try await service.issue(bed.call(try Testbed.csr(1))).chain)
        var stranger = bed.authority
        let file = bed.folder.appending(component: "stranger.pem")
        try AtomicFile(file).write(Array(P256.Signing.PrivateKey().pemRepresentation.utf8))
        stranger.accountKey = "file:\(file.path)"
        let problem = try await service.problem { try await service.certificates.revoke(.init(authority: stranger, certificate: chain)) }
        #expect(problem.acmeType == "urn:ietf:params:acme:error:unauthorized")
        for _ in 1...2 { try await service.certificates.revoke(.init(authority: bed.authority, certificate: chain, reason: 1)) }
        // What the CA itself says of a third time.
        let session = try await service.accounts.session(with: bed.authority)
        let url = try #require(session.connection.directory.revokeCert)
        let revocation = Revocation(certificate: Base64URL.encode(try CertificateChain(pem: chain).leaf.der), reason: 1)
        await #expect {
          try await session.post(.revokeCert, url, .encoding(revocation))
        } throws: {
          ($0 as? ACMEError)?.document?.type == .alreadyRevoked
        }
      }
    }
  }

  @Test("a blocklisted name is refused for good")
  func blocklist() async throws {
    try await Testbed.with(.init(blocked: ["n0.acme.example"])) { bed in
      try await bed.withService { service in
        let problem = try await service.problem { try await service.issue(bed.call(try Testbed.csr(2))) }
        #expect(problem.error == .nameNotAllowed && problem.final)
        #expect(problem.acmeType == "urn:ietf:params:acme:error:rejectedIdentifier" && problem.text.contains("n0.acme.example"))
      }
    }
  }

  @Test("names whose answer the CA does not find are all named, and what is in place is withdrawn")
  func unanswered() async throws {
    try await Testbed.with { bed in
      for name in ["n0.acme.example", "n2.acme.example"] { bed.answers.lose(CA.name(name)) }
      try await bed.withService { service in
        let problem = try await service.problem { try await service.issue(bed.call(try Testbed.csr(3))) }
        #expect(problem.error == .challengeFailed && !problem.final && problem.newOrders == 1)
        #expect(problem.names.map(\.name.value) == ["n0.acme.example", "n2.acme.example"])
        #expect(problem.names.allSatisfy { $0.text.hasSuffix("nobody has asked here for the answer, so the name or port 80 leads elsewhere") })
        #expect(bed.answers.count == 0)
      }
    }
  }

  @Test("a required responder that fails keeps the CA from being asked; the order is kept and taken up")
  func requiredResponder() async throws {
    try await Testbed.with { bed in
      bed.answers.refuse(CA.name("n0.acme.example"), "the device did not answer", required: true)
      try await bed.withService { service in
        let csr = try Testbed.csr(1)
        let problem = try await service.problem { try await service.issue(bed.call(csr)) }
        #expect(problem.error == .challengeFailed && problem.text.contains("the device did not answer"))
        let order = try #require(await service.journal["request"]?.order)
        _ = try await service.problem { try await service.issue(bed.call(csr)) }
        #expect(await service.journal["request"]?.order == order)
      }
    }
  }

  @Test("without consent to the terms there is no account, and the problem has their URL")
  func terms() async throws {
    try await Testbed.with { bed in
      try await bed.withService { service in
        var authority = bed.authority
        authority.termsAgreed = false
        let call = bed.call(try Testbed.csr(1), for: "request", authority: authority)
        let problem = try await service.problem { try await service.issue(call) }
        #expect(problem.error == .notConfigured && problem.help?.hasPrefix("data:text/plain") == true)
      }
    }
  }

  @Test("a CA that is down, and one whose TLS is not trusted, are unavailable")
  func down() async throws {
    try await Testbed.with { bed in
      try await bed.withService { service in
        var authority = bed.authority
        authority.trustRoots = nil
        let untrusted = bed.call(try Testbed.csr(1), for: "untrusted", authority: authority)
        #expect(try await service.problem { try await service.issue(untrusted) }.error == .caUnavailable)
        authority.directory = "https://localhost:\(try PebbleServer.freePort())/dir"
        let down = bed.call(try Testbed.csr(1), for: "down", authority: authority)
        #expect(try await service.problem { try await service.issue(down) }.error == .caUnavailable)
      }
    }
  }

  @Test("an account is recovered by its key, also when nobody agrees to the terms any more")
  func recovered() async throws {
    try await Testbed.with { bed in
      let urls = Mutex<[String]>([])
      for _ in 1...2 {
        try await bed.withService { service in
          var authority = bed.authority
          authority.termsAgreed = urls.withLock { $0.isEmpty }
          let session = try await service.accounts.session(with: authority)
          urls.withLock { $0.append(session.account.value) }
        }
        try FileManager.default.removeItem(at: bed.folder.appending(path: "state/accounts"))
      }
      #expect(urls.withLock { $0.count == 2 && $0[0] == $0[1] })
    }
  }

  @Test("an account that the CA has forgotten is made anew")
  func forgotten() async throws {
    try await Testbed.with { bed in
      try await bed.withService { service in
        let session = try await service.accounts.session(with: bed.authority)
        let stranger = try #require(ResourceURL(session.account.value + "99"))
        let book = AccountBook(folder: bed.folder.appending(path: "state/accounts"))
        try book.note(AccountEntry(directory: session.connection.url, thumbprint: session.thumbprint, url: stranger))
      }
      try await bed.withService { service in
        let reply = try await service.issue(bed.call(try Testbed.csr(1)))
        #expect(reply.chain != nil)
      }
    }
  }
}

/// The steps that were reported.
final class Steps: Sendable {
  private let replies = Mutex<[ACMEClient.Issue.Reply]>([])

  func add(_ reply: ACMEClient.Issue.Reply) { replies.withLock { $0.append(reply) } }
  /// The steps, those about one name left out.
  var stages: [ACMEClient.Step] { replies.withLock { $0.filter { $0.name == nil }.map(\.step) } }
  /// The names that were told to be validated.
  var names: [DNSName] { replies.withLock { $0.compactMap(\.name) } }
}
