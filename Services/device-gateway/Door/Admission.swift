/// Decides who may stand at the door: counts all connections, and keeps those that have not logged in, by network.
///
/// Where there are too many strangers, the one that has been silent for longest makes room: a login takes a moment, so whoever means it is in before
/// its turn to go comes. Behind a reverse proxy's address stands a whole fleet, so only the bound for all holds there.
struct Admission: Sendable {
  /// What becomes of a new connection.
  enum Verdict: Hashable, Sendable {
    case admitted
    /// It may come in, and this one has to go.
    case admittedFor(ConnectionID)
    /// The gateway is full of those who have logged in.
    case refused
  }

  private let limits: DoorLimits
  private(set) var connections = 0
  private var strangers = 0
  /// Those of each network, the oldest first.
  private var strangersByNetwork: [PeerNetwork: [ConnectionID]] = [:]

  init(limits: DoorLimits) {
    self.limits = limits
  }

  /// Takes one more stranger in, if that is possible.
  mutating func admit(_ id: ConnectionID, from network: PeerNetwork, isShared: Bool) -> Verdict {
    let crowded: PeerNetwork? =
      if !isShared, (strangersByNetwork[network]?.count ?? 0) >= limits.strangersPerNetwork {
        network
      } else if strangers >= limits.strangers || connections >= limits.connections {
        strangersByNetwork.max { $0.value.count < $1.value.count }?.key
      } else {
        nil
      }
    var verdict = Verdict.admitted
    if let crowded, let oldest = strangersByNetwork[crowded]?.first {
      left(oldest, from: crowded, isLoggedIn: false)
      verdict = .admittedFor(oldest)
    }
    guard connections < limits.connections else { return .refused }
    connections += 1
    strangers += 1
    strangersByNetwork[network, default: []].append(id)
    return verdict
  }

  /// A stranger has logged in.
  mutating func loggedIn(_ id: ConnectionID, from network: PeerNetwork) {
    guard var neighbours = strangersByNetwork[network], let index = neighbours.firstIndex(of: id) else { return }
    neighbours.remove(at: index)
    strangers -= 1
    strangersByNetwork[network] = neighbours.isEmpty ? nil : neighbours
  }

  mutating func left(_ id: ConnectionID, from network: PeerNetwork, isLoggedIn: Bool) {
    connections -= 1
    if !isLoggedIn { loggedIn(id, from: network) }
  }
}
