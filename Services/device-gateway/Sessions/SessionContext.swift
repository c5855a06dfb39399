import Logging
import NIOConcurrencyHelpers
import PKI

/// What all sessions share.
struct SessionContext: Sendable {
  let authenticator: Authenticator
  let devices: Devices
  let errands: Errands
  let challenges: PushedChallenges
  let lookups: ChallengeLookups
  let path: InstancePath
  /// What devices pin.
  let pin: SubjectPublicKeyPin
  let limits: DoorLimits
  let clock: WallClock
  let logger: Logger
  let attendance: Attendance
  /// Who is refused again and again.
  let refusedLogins = RefusedLogins()
  /// What those who are not logged in have written into the log.
  let strangersNoise = NIOLockedValueBox(LineAMinute())
}
