import FoundationEssentials
import Logging
import NIOConcurrencyHelpers
import NIOHTTP1
import PKI
import SchedulerAPI
import ServiceRuntime
import Telemetry

/// The reverse proxies whose word is taken for whom they ask, and who may come without TLS: the setting `gateway.trustedProxies`.
///
/// It is kept for the next process, which goes by it while the scheduler is away. Otherwise the first connection waits for the scheduler's word: it is
/// what has started the gateway.
///
/// X-Forwarded-For is read, to which nginx, HAProxy, Apache and Caddy add whom they were asked by, and not also Forwarded (RFC 7239): a proxy
/// that does not know a field hands on what its client has written there.
final class TrustedProxies: Sendable {
  private static let field = "x-forwarded-for"
  private static let sizeLimit = 1 << 16

  private let networks: NIOLockedValueBox<[IPNetwork]>
  /// Ends when the scheduler has spoken, or cannot.
  private let settled = AsyncStream.makeStream(of: Never.self)
  private let file: AtomicFile
  private let logger: Logger

  /// Those that were set when the process before ended. A file that makes no sense is set aside: the scheduler tells them anew.
  init(in environment: ServiceEnvironment) throws {
    file = AtomicFile(environment.stateDirectory.appending(component: "trusted-proxies.json"))
    logger = environment.logger
    var known: [IPNetwork] = []
    if let content = try file.read(limit: Self.sizeLimit) {
      do {
        known = try JSONDecoder().decode([IPNetwork].self, from: Data(content))
      } catch {
        let aside = try file.setAside().path(percentEncoded: false)
        logger.log(.fileDamaged, "which reverse proxies are trusted cannot be read, and is set aside", metadata: [.file: aside])
      }
    }
    networks = NIOLockedValueBox(known)
  }

  /// Takes what the scheduler tells, if it is about them. It holds for connections from now on.
  func hear(_ item: SchedulerMethods.Watch.Reply) {
    guard let told = item.gateway?.trustedProxies else { return }
    defer { settle() }
    let isNew = networks.withLockedValue { known in
      defer { known = told }
      return known != told
    }
    guard isNew else { return }
    do {
      try file.write(try JSONEncoder().encode(told))
    } catch {
      logger.log(.storingFailed, "which reverse proxies are trusted could not be stored", error: error)
    }
  }

  /// Nothing better than what is known will be told for now.
  func settle() { settled.continuation.finish() }

  /// Waits until it makes sense to go by what is known.
  func areSettled() async { for await _ in settled.stream {} }

  /// Whether a peer is one of them.
  func contains(_ peer: PeerAddress) -> Bool {
    guard let address = peer.ipAddress else { return false }
    return networks.withLockedValue { $0.contains { $0.contains(address) } }
  }

  /// Whom a peer asks for; before it has said so, with no header fields, a proxy stands for many.
  func origin(of peer: PeerAddress, _ headers: HTTPHeaders = [:]) -> Origin {
    Origin(of: peer, askingFor: headers[canonicalForm: Self.field], trusted: contains)
  }
}
