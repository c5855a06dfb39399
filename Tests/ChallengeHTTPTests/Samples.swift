import FoundationEssentials
import PKI
import RawSocket
import ResponderAPI
import Synchronization
import Testing

@testable import ChallengeHTTP

/// A token that no other has: 43 characters, as CAs make them.
func sampleToken(_ number: Int = 1) throws -> ChallengeToken {
  let digits = "\(number)"
  return try #require(ChallengeToken("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA".dropLast(digits.count) + digits))
}

let thumbprint = "nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"

/// What acme-client asks for.
func wish(
  _ number: Int = 1, order: String = "order-1", name: String = "phone.example.com", thumbprint: String = thumbprint,
  expires: Instant = Instant(milliseconds: 3_600_000)
) throws -> Responder.Publish.Parameters {
  let token = try sampleToken(number)
  return .init(
    order: order, name: try #require(DNSName(name)), token: token, keyAuthorization: KeyAuthorization(token: token, thumbprint: thumbprint),
    device: nil,
    expires: expires)
}

/// A clock that the test sets.
final class TestClock: Sendable {
  private let moment: Mutex<Instant>

  init(_ milliseconds: Int64 = 0) { moment = Mutex(Instant(milliseconds: milliseconds)) }

  var wall: WallClock { WallClock { self.moment.withLock { $0 } } }

  func advance(by duration: Duration) { moment.withLock { $0 = $0 + duration } }
}

extension TemporaryFolder {
  var leaseLog: URL { URL(filePath: path).appending(component: "leases.log") }
}
