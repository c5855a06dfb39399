import FoundationEssentials
import ModelAuthority
import NIOHTTP1
import PKI
import Testing

@testable import ACMEClient

/// A CA that tests a client is worth what it refuses.
@Suite("The model CA is strict", .serialized, .timeLimit(.minutes(1)))
struct ModelAuthorityTests {
  /// Something that no client may send.
  struct Offence: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// What the CA answers with (RFC 8555, section 6.7), and what it notes.
    var type = "malformed"
    var noted: String
    var commit: @Sendable (AuthoritySession) async throws -> Void
  }

  private static let name = #"{"type":"dns","value":"n0.acme.example"}"#

  static let offences = [
    Offence(testDescription: "POST-as-GET with a payload", noted: "POST-as-GET") { session in
      let newOrder = session.connection.directory.newOrder
      let made = try await session.post(.newOrder, newOrder, .json(Array(#"{"identifiers":[\#(name)]}"#.utf8)))
      _ = try await session.post(.order, try #require(made.location(of: newOrder)), .emptyObject)
    },
    Offence(testDescription: "a challenge without {}", noted: "is not {}") { session in
      let authorization = try await session.get(.authorization, try await order(session).authorizations[0])
      let challenge = try authorization.decode(Authorization.self, from: session.account).http01
      _ = try await session.get(.challenge, try #require(challenge).url)
    },
    Offence(testDescription: "a pending authorization that is deactivated", noted: "counts as a failed validation") { session in
      let url = try await order(session).authorizations[0]
      _ = try await session.post(.authorization, url, .json(Array(#"{"status":"deactivated"}"#.utf8)))
    },
    Offence(testDescription: "a member that the RFC does not know", noted: "has a member resource") { session in
      try await newOrder(session, #"{"identifiers":[\#(name)],"resource":"new-order"}"#)
    },
    Offence(testDescription: "a name in upper case", type: "unsupportedIdentifier", noted: "no DNS name in lower case") { session in
      try await newOrder(session, #"{"identifiers":[{"type":"dns","value":"N0.acme.example"}]}"#)
    },
    Offence(testDescription: "a name twice", noted: "each once") { session in
      try await newOrder(session, #"{"identifiers":[\#(name),\#(name)]}"#)
    },
    Offence(testDescription: "a key instead of the account", noted: "signed by jwk or kid") { session in
      let connection = session.connection
      _ = try await connection.post(.newOrder, connection.directory.newOrder, .emptyObject, as: .key, by: session.key)
    },
    Offence(testDescription: "a stranger's signature", noted: "does not verify") { session in
      _ = try await session.connection.post(.account, session.account, .none, as: .account(session.account), by: MemoryKey())
    },
    Offence(testDescription: "a nonce that was used", type: "badNonce", noted: "was used before") { session in
      let nonce = try await nonce(session)
      for _ in 1...2 { try await send(session, nonce: nonce) }
    },
    Offence(testDescription: "another URL in the JWS", type: "unauthorized", noted: "is not the request's") { session in
      try await send(session, nonce: try await nonce(session), signedFor: session.connection.directory.newOrder)
    },
    Offence(testDescription: "another content type", noted: "content type") { session in
      try await send(session, nonce: try await nonce(session), contentType: "application/json")
    },
  ]

  @Test("what no client may send is refused as the RFC says, and noted", arguments: offences)
  func offence(_ offence: Offence) async throws {
    try await withFolder { folder in
      try await ModelAuthority.run(Manners(), in: folder) { model in
        let bed = Testbed(directory: model.directory, trust: model.trust, answers: ChallengeAnswers(), folder: folder)
        try await bed.withService { service in
          let session = try await service.accounts.session(with: bed.authority)
          #expect(model.report.deviations == [])
          let refusal = await #expect(throws: ACMEError.self) { try await offence.commit(session) }
          #expect(refusal?.document?.type.rawValue == offence.type)
          let noted = model.report.deviations
          #expect(noted.count == 1 && noted.allSatisfy { $0.contains(offence.noted) }, "\(noted)")
        }
      }
    }
  }

  private static func order(_ session: AuthoritySession) async throws -> Order {
    let url = session.connection.directory.newOrder
    let payload = AuthorityConnection.Payload.json(Array(#"{"identifiers":[\#(name)]}"#.utf8))
    return try await session.post(.newOrder, url, payload).decode(Order.self, from: url)
  }

  private static func newOrder(_ session: AuthoritySession, _ payload: String) async throws {
    _ = try await session.post(.newOrder, session.connection.directory.newOrder, .json(Array(payload.utf8)))
  }

  private static func nonce(_ session: AuthoritySession) async throws -> Nonce {
    let response = try await session.connection.transport.send(Request(method: .HEAD, url: session.connection.directory.newNonce))
    return try #require(response.replayNonce)
  }

  /// Reads the account by a request that is made by hand.
  private static func send(
    _ session: AuthoritySession, nonce: Nonce, signedFor url: ResourceURL? = nil, contentType: String = "application/jose+json"
  ) async throws {
    let signed = try JSONWebSignature(
      payload: [], to: url ?? session.account, nonce: nonce, as: .account(session.account), by: session.key)
    let body = Array(try JSONEncoder().encode(signed))
    let request = Request(method: .POST, url: session.account, headers: ["content-type": contentType], body: body)
    let response = try await session.connection.transport.send(request)
    if let refusal = response.refusal(of: session.account, now: .earliest) { throw refusal }
  }
}
