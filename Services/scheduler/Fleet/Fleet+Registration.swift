import GRDB
import PKI
import SchedulerAPI

extension Fleet {
  /// A device is there: it is remembered, and what it has not got yet is told once more to whoever watches.
  func register(_ identity: DeviceIdentity, description: DeviceDescription?) async throws -> DeviceID {
    try await register(try DeviceKey(identity), identity, description)
  }

  /// A device that cannot connect, under the name that an administrator gives it.
  func register(administratorsName name: String) async throws -> DeviceID {
    let key = try DeviceKey(administratorsName: name)
    return try await register(key, DeviceIdentity(scope: key.scope), nil)
  }

  private func register(_ key: DeviceKey, _ identity: DeviceIdentity, _ description: DeviceDescription?) async throws -> DeviceID {
    let description = try description?.bounded()
    let outcome = try await transact { transaction -> Result<DeviceID, Refusal> in
      if let earlier = try DeviceRecord.fetch(key, from: transaction.database), earlier.retiredAt != nil {
        return .failure(try transaction.turnAway(earlier))
      }
      let device = try transaction.remember(key, identity, description)
      try VisitRecord.note([device.id], at: transaction.now, in: transaction.database)
      // What a device that comes back has to hear: certificates without its receipt, and how the rest of its requests is.
      for request in try RequestRecord.current(of: device.id, from: transaction.database).reversed() where request.phase != .installed {
        transaction.announce(request)
      }
      try transaction.greet(device.id, clock: description?.clock)
      if description != nil { try transaction.adopt(device) }
      return .success(device.id)
    }
    return try outcome.get()
  }

  /// These devices are connected, or were a moment ago.
  func noteConnected(_ devices: [DeviceID]) async throws {
    guard devices.count <= SchedulerMethods.NoteConnected.most else {
      throw Refusal(.badMessage, "At most \(SchedulerMethods.NoteConnected.most) connected devices are taken in one call.")
    }
    let now = clock.now()
    try await store.write { try VisitRecord.note(devices, at: now, in: $0) }
  }

  /// Who answers challenges has changed by this device: what waits for a name of its, or for one that may stand behind it, is looked at.
  func lookAgain(at id: DeviceID) async throws {
    try await transact { transaction in
      guard let device = try DeviceRecord.fetch(id, from: transaction.database) else { throw NotFound.device(id) }
      let scope = device.isReverseProxy ? device.scope : nil
      for request in try RequestRecord.waitingForName(of: id, behind: scope, from: transaction.database) {
        try transaction.tryAgain(request)
      }
    }
  }

  /// Forgets who has only logged in, and events that are too old, and puts right what a clock that was wrong has left behind. For the start, when
  /// nobody is connected.
  func sweep() async throws {
    try await transact { transaction in
      let (database, now) = (transaction.database, transaction.now)
      try Schema.endImpossiblePauses(at: now, in: database)
      try DeviceRecord.deleteUnknown(from: database)
      try LedgerRecord.prune(at: now, in: database)
      try EventRecord.prune(before: now - transaction.settings.eventRetention, in: database)
    }
  }
}

extension Transaction {
  /// The most devices of one scope: whoever knows its secret can invent as many as he likes.
  private static let mostDevices = 200_000

  /// Keeps who is there. Writes nothing when nothing is new.
  fileprivate mutating func remember(_ key: DeviceKey, _ identity: DeviceIdentity, _ description: DeviceDescription?) throws -> DeviceRecord {
    let earlier = try DeviceRecord.fetch(key, from: database)
    if let earlier, earlier.isUpToDate(identity, description, at: now) { return earlier }
    guard try earlier != nil || DeviceRecord.count(in: key.scope, from: database) < Self.mostDevices else {
      throw Refusal(
        .notAllowed, "\(Self.mostDevices) devices are known in \(key.scope) already, and no more are taken; an administrator has to clear up.")
    }
    var device = earlier ?? DeviceRecord(key, id: DeviceID(rawValue: chance.identifier()), now: now)
    device.nameSuffixes = identity.nameSuffixes
    device.address = identity.address
    device.lastSeen = now
    if let description { device.description = description }
    if let clock = description?.clock { device.clockOffset = clock.milliseconds - now.milliseconds }
    if earlier == nil { try device.insert(database) } else { try device.update(database) }
    if description != nil { try makeKnown(device) }
    return device
  }

  /// The device is one to be shown from now on.
  mutating func makeKnown(_ device: DeviceRecord) throws {
    guard !device.isKnown else { return }
    var device = device
    device.isKnown = true
    try device.update(database)
    try record(Event(.deviceFirstSeen, "The device \(device.key) of \(device.scope) came for the first time.", device: device.id))
  }
}

extension DeviceRecord {
  init(_ key: DeviceKey, id: DeviceID, now: Instant) {
    self.init(
      id: id, scope: key.scope, key: key.value, isKnown: false, nameSuffixes: nil, address: nil, description: nil, firstSeen: now, lastSeen: now)
  }

  /// Whether there is nothing to write: a device that comes often is noted once a minute.
  fileprivate func isUpToDate(_ identity: DeviceIdentity, _ description: DeviceDescription?, at now: Instant) -> Bool {
    nameSuffixes == identity.nameSuffixes && address == identity.address && (description == nil || description == self.description)
      && (lastSeen...(lastSeen + .seconds(60))).contains(now)
  }
}

extension DeviceDescription {
  /// The most characters of a text that is kept.
  private static let longestText = 128

  /// What is kept of it: texts are cut, and lists that no device has are refused.
  fileprivate func bounded() throws(Refusal) -> DeviceDescription {
    guard roles.count <= 16, dnsNames.count <= 1_000, certificates.count <= 32, certificates.allSatisfy({ $0.utf8.count <= 64_000 }) else {
      throw Refusal(.badMessage, "The device tells more about itself than is read; at most 16 roles, 1000 names and 32 certificates.")
    }
    func cut(_ text: String) -> String { text.line(of: Self.longestText) }
    return DeviceDescription(
      kind: kind.map(cut), product: product.map(cut), version: version.map(cut), name: name.map(cut), roles: roles.map(cut),
      dnsNames: dnsNames.map { $0.line(of: DNSName.maximumLength) }, certificates: certificates, challenge: challenge.map(cut), clock: clock)
  }
}
