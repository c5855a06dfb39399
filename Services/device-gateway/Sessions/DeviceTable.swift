import SchedulerAPI

/// Which session is which device: a device has one connection, and the newest wins: the one that logged in last,
/// whichever the scheduler answers first.
///
/// `Session` is what a session is known by.
struct DeviceTable<Session: Hashable & Sendable>: Sendable {
  /// Items of devices whose registration is still under way: the scheduler may tell about a device before the gateway has read its id.
  static var earlyLimit: Int { 1024 }

  private struct Entry {
    /// In the order of the logins.
    let number: UInt64
    var device: DeviceID?
  }

  private var sessions: [Session: Entry] = [:]
  private var nextNumber: UInt64 = 0
  private var devices: [DeviceID: Session] = [:]
  private var registrations = 0
  private var early: [(device: DeviceID, news: DeviceNews)] = []

  /// Whether it is logged in, and not superseded.
  func contains(_ session: Session) -> Bool { sessions[session] != nil }

  var all: [Session] { Array(sessions.keys) }

  mutating func entered(_ session: Session) {
    sessions[session] = Entry(number: nextNumber)
    nextNumber += 1
  }

  /// - Returns: the device that is connected no more.
  @discardableResult
  mutating func left(_ session: Session) -> DeviceID? {
    guard let device = sessions.removeValue(forKey: session)?.device, devices[device] == session else { return nil }
    devices[device] = nil
    return device
  }

  /// The devices that are connected.
  var connected: Dictionary<DeviceID, Session>.Keys { devices.keys }

  mutating func registrationBegan() {
    registrations += 1
  }

  mutating func registrationEnded() {
    registrations -= 1
    if registrations == 0 { early = [] }
  }

  /// A session turns out to be a device.
  ///
  /// - Returns: The older session of that device, which is to be closed and may be this one, and what was told about the device meanwhile.
  mutating func registered(_ session: Session, as device: DeviceID) -> (older: Session?, early: [DeviceNews]) {
    guard let entry = sessions[session] else { return (nil, []) }
    if let former = entry.device, former != device, devices[former] == session { devices[former] = nil }
    let other = devices[device].flatMap { $0 == session ? nil : $0 }
    if let other, let its = sessions[other], its.number > entry.number {
      sessions[session] = nil
      return (session, [])
    }
    devices[device] = session
    sessions[session]?.device = device
    if let other { sessions[other] = nil }
    defer { early.removeAll { $0.device == device } }
    return (other, early.filter { $0.device == device }.map(\.news))
  }

  /// Whom an item is for; nil when the device is not connected, or not known yet.
  mutating func session(of device: DeviceID, for news: DeviceNews) -> Session? {
    if let session = devices[device] { return session }
    guard registrations > 0 else { return nil }
    // Only the newest about the same counts, and of all of them the newest ones.
    early.removeAll { $0.device == device && news.isAboutSame(as: $0.news) }
    if early.count == Self.earlyLimit { early.removeFirst() }
    early.append((device, news))
    return nil
  }

  /// Whom settings for one device are for.
  func session(of device: DeviceID) -> Session? { devices[device] }
}
