/// Counts who is at the door: all connections, and those that have not logged in, by network and in all. Behind this machine's own address a
/// reverse proxy brings a whole fleet, so only the bound for all holds there.
struct Admission: Sendable {
  private let limits: DoorLimits
  private(set) var connections = 0
  private var strangers = 0
  private var strangersByNetwork: [PeerNetwork: Int] = [:]

  init(limits: DoorLimits) {
    self.limits = limits
  }

  /// Whether one more stranger may come in from there; it is counted then.
  mutating func admit(from network: PeerNetwork, isLoopback: Bool) -> Bool {
    let neighbours = strangersByNetwork[network, default: 0]
    guard connections < limits.connections, strangers < limits.strangers, isLoopback || neighbours < limits.strangersPerNetwork else { return false }
    connections += 1
    strangers += 1
    strangersByNetwork[network] = neighbours + 1
    return true
  }

  /// A stranger has logged in.
  mutating func loggedIn(from network: PeerNetwork) {
    strangers -= 1
    let neighbours = strangersByNetwork[network, default: 1] - 1
    strangersByNetwork[network] = neighbours == 0 ? nil : neighbours
  }

  mutating func left(from network: PeerNetwork, isLoggedIn: Bool) {
    connections -= 1
    if !isLoggedIn { loggedIn(from: network) }
  }
}
