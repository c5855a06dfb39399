import AppWebsocket
import SchedulerAPI

/// What the gateway remembers of a device, so that it can say who has to answer the CA even when the device is not there.
struct ChallengeRole: Codable, Sendable, Hashable {
  /// The scope of its login.
  var scope: String
  /// What people know it by.
  var label: String
  /// Who answers for its names, as it said last; external until it has said anything.
  var mode = RegisterDevice.ChallengeMode.external
  /// Of a reverse proxy that answers: the names that it holds for others too.
  var heldNames = ServedNames()

  /// Without it the CA cannot be satisfied.
  var answersItself: Bool { mode != .external }

  /// The same after the device has described itself.
  mutating func take(_ description: RegisterDevice) {
    mode = description.challenge ?? .external
    let isProxy = answersItself && description.roles?.contains(.reverseProxy) == true
    heldNames = ServedNames(isProxy ? description.dnsNames ?? [] : [])
  }
}

/// How a connected device takes part, as it has said on this connection.
struct ChallengePart: Sendable, Hashable {
  var device: DeviceID
  var mode: RegisterDevice.ChallengeMode
  /// Of a reverse proxy that takes pushes: those for which it is told the challenges of others.
  var proxiedNames: ServedNames

  init(of device: DeviceID, in role: ChallengeRole) {
    self.device = device
    mode = role.mode
    proxiedNames = mode == .push ? role.heldNames : ServedNames()
  }
}

extension DeviceIdentity {
  /// What people know the device by.
  var label: String { hardwareID ?? sip ?? guid ?? "without a name of \(scope)" }
}
