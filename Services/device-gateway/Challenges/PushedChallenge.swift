import AppWebsocket
import PKI
import SchedulerAPI

/// An answer that some order wants in place, and who of the connected has it.
struct PushedChallenge<Session: Hashable & Sendable>: Sendable {
  /// What one session has said to it.
  enum Standing: Sendable, Hashable {
    case asked
    case confirmed
    /// In the device's own words.
    case refused(String)
  }

  let name: DNSName
  let token: ChallengeToken
  let keyAuthorization: KeyAuthorization
  /// The device that wants the certificate.
  let device: DeviceID?
  /// When the lease of each order ends.
  var leases: [String: Instant] = [:]
  var standings: [Session: Standing] = [:]
  /// The calls of Publish that wait, and their orders.
  var calls: [ChallengeCall: String] = [:]

  var added: ChallengeAdded { ChallengeAdded(dns: name, token: token, keyAuth: keyAuthorization) }
  var removed: ChallengeRemoved { ChallengeRemoved(dns: name, token: token) }

  /// Those who may serve it at this moment.
  var holders: [Session] {
    standings.filter { if case .refused = $0.value { false } else { true } }.map(\.key)
  }
}

/// A call of Publish that waits for its answer.
struct ChallengeCall: Hashable, Sendable {
  let number: UInt64
}
