import AppWebsocket
import Crypto
import FoundationEssentials
import ServiceRuntime

/// Whom the door knows (see ``Throttle``), kept from one process to the next, so that a fleet which comes back after a restart is not held up by
/// those who guess.
///
/// Each is a number: a hash, under a key of its own, of the network, the login and the names that were given with it, which are hostile text of any
/// length.
struct KnownClients: Sendable {
  /// Those whom the process before knew.
  let kept: [Int]
  private let key: SymmetricKey
  private let file: AtomicFile

  private static let keyBytes = 32
  private static let numberBytes = 8

  /// The file `known-clients` in the folder: the key, then the numbers. One that cannot be read is begun anew: all that is lost is an advantage.
  init(in folder: URL) {
    file = AtomicFile(folder.appending(component: "known-clients"))
    let content = (try? file.read(limit: Self.keyBytes + Throttle.capacity * Self.numberBytes)) ?? []
    let numbers = content.dropFirst(Self.keyBytes)
    guard content.count >= Self.keyBytes, numbers.count % Self.numberBytes == 0 else {
      kept = []
      key = SymmetricKey(size: .bits256)
      return
    }
    key = SymmetricKey(data: content.prefix(Self.keyBytes))
    kept = stride(from: numbers.startIndex, to: numbers.endIndex, by: Self.numberBytes).map { Self.number(numbers[$0..<$0 + Self.numberBytes]) }
  }

  /// The number of whoever calls itself that, comes from there, and knows a secret of that login.
  func number(of subject: LoginDigest.Subject, from network: PeerNetwork, by login: LoginName) -> Int {
    var hash = HMAC<SHA256>(key: key)
    hash.update(data: network.bytes)
    for name in [login.value, subject.domain, subject.sip, subject.guid] {
      // With its length before it, so that no two logins are the same bytes.
      hash.update(data: Self.bytes(name.utf8.count) + Array(name.utf8))
    }
    return Self.number(Array(hash.finalize()).prefix(Self.numberBytes))
  }

  /// Keeps these for the next process.
  func store(_ knownClients: some Sequence<Int>) throws {
    try file.write(key.withUnsafeBytes { Array($0) } + knownClients.flatMap(Self.bytes))
  }

  private static func number(_ bytes: some Sequence<UInt8>) -> Int { Int(truncatingIfNeeded: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }

  private static func bytes(_ number: Int) -> [UInt8] {
    stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
  }
}
