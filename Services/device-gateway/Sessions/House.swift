import Logging
import PKI

/// What all sessions share.
struct House: Sendable {
  let doorkeeper: Doorkeeper
  let devices: Devices
  let errands: Errands
  let path: InstancePath
  /// What devices pin.
  let pin: SubjectPublicKeyPin
  let limits: DoorLimits
  let clock: WallClock
  let logger: Logger
  let strangersNoise = StrangersNoise()
}
