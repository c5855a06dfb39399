import PKI
import SchedulerAPI

/// What is known of devices, whether they are connected or not: who answers by itself, and which reverse proxies hold which names.
struct ChallengeRoles: Sendable {
  private(set) var all: [DeviceID: ChallengeRole] = [:]
  /// The reverse proxies of each scope that hold names.
  private var proxies: [String: Set<DeviceID>] = [:]
  private var heldNames = 0
  private let mostHeldNames: Int

  init(_ stored: [DeviceID: ChallengeRole], mostHeldNames: Int) {
    self.mostHeldNames = mostHeldNames
    for (device, role) in stored { keep(role, of: device) }
  }

  subscript(device: DeviceID) -> ChallengeRole? { all[device] }

  /// What must be known after a restart: who answers by itself, and who stands behind a reverse proxy perhaps.
  var lasting: [DeviceID: ChallengeRole] { all.filter { isLasting($0.value) } }

  func isLasting(_ role: ChallengeRole) -> Bool { role.answersItself || proxies[role.scope] != nil }

  func proxies(in scope: String, holding name: DNSName) -> [DeviceID] {
    proxies[scope, default: []].filter { all[$0]?.heldNames.contains(name) == true }
  }

  /// Keeps a role in mind; nil to forget it. Names of reverse proxies beyond those that can be kept are not.
  mutating func keep(_ role: ChallengeRole?, of device: DeviceID) {
    var role = role
    if let former = all[device], !former.heldNames.isEmpty {
      heldNames -= former.heldNames.count
      proxies[former.scope]?.remove(device)
      if proxies[former.scope]?.isEmpty == true { proxies[former.scope] = nil }
    }
    if let count = role?.heldNames.count, heldNames + count > mostHeldNames { role?.heldNames = ServedNames() }
    all[device] = role
    guard let role, !role.heldNames.isEmpty else { return }
    heldNames += role.heldNames.count
    proxies[role.scope, default: []].insert(device)
  }
}
