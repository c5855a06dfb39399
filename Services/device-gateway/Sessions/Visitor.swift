import DeviceGatewayAPI
import SchedulerAPI

/// Who logged in; nothing of it is kept before.
struct Visitor {
  let reference: SessionReference
  let kind: Logins.Kind
  let isLoginOfOneDevice: Bool
  var identity: DeviceIdentity
  var device: DeviceID?

  /// Whether the scheduler can tell the device from others before it has said more: a login for one device is that device.
  var isKnown: Bool { kind == .device && (isLoginOfOneDevice || identity.hardwareID != nil || identity.sip != nil || identity.guid != nil) }
}
