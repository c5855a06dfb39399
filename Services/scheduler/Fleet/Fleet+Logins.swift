import GRDB
import PKI
import SchedulerAPI

extension Fleet {
  /// The gateway has refused logins, again and again.
  func noteRefused(_ logins: [RefusedLogin]) async throws {
    guard logins.count <= SchedulerMethods.NoteRefusedLogins.most else {
      throw Refusal(.badMessage, "At most \(SchedulerMethods.NoteRefusedLogins.most) refused logins are taken in one call.")
    }
    try await transact { transaction in
      var strangers: [RefusedLogin] = []
      for login in logins {
        if let device = try transaction.device(calledAs: login) {
          try transaction.raise(LoginRefusal.alarm(login), of: device)
        } else {
          strangers.append(login)
        }
      }
      if let alarm = LoginRefusal.alarm(ofStrangers: strangers) { try transaction.raise(alarm, of: nil) }
    }
  }
}

extension Transaction {
  /// The device that a login of that name would be, by a secret of the instance or of its domain; a login for one device is not told by its name.
  fileprivate func device(calledAs login: RefusedLogin) throws -> DeviceID? {
    for scope in ["instance", login.domain.map { "domain:\($0)" }].compactMap(\.self) {
      guard let key = try? DeviceKey(DeviceIdentity(scope: scope, sip: login.sip, guid: login.guid)) else { continue }
      if let device = try DeviceRecord.fetch(key, from: database), device.isKnown { return device.id }
    }
    return nil
  }

  /// Raises the alarm, or lets it stand for longer: nobody tells of its end.
  fileprivate mutating func raise(_ alarm: Alarm, of device: DeviceID?) throws {
    let standing = try AlarmRecord.of(device, from: database).first { $0.code == .loginRefused }
    try raise(alarm, of: device, slot: Self.loginSlot, over: standing)
    try AlarmRecord.end(.loginRefused, of: device, at: now + LoginRefusal.memory, in: database)
    hasWork = true
  }

  /// A device has logged in.
  mutating func endLoginAlarm(of device: DeviceID) throws {
    for alarm in try AlarmRecord.of(device, from: database) where alarm.code == .loginRefused { try clear(alarm) }
  }

  /// It concerns no certificate.
  private static let loginSlot = ""
}
