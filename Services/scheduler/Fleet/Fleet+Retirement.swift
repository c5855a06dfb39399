import GRDB
import PKI
import SchedulerAPI
import Varlink

extension Fleet {
  /// Ends what the connector does for a device: nothing is renewed, no alarm stands, and its names are free. Its certificates stay on record. One that
  /// is retired stays so: a call may come twice.
  /// - Returns: how many names it held.
  func retire(_ device: DeviceID) async throws -> Int {
    let administrator = PeerCredentials.administrator
    return try await transact { transaction in
      let record = try transaction.device(device)
      guard record.retiredAt == nil else { return 0 }
      let names = try transaction.end(record)
      try transaction.record(Event(.deviceRetired, "\(administrator) retired the device \(record.key) of \(record.scope).", device: device))
      for name in names { try transaction.release(name) }
      return names.count
    }
  }

  /// Takes a retired device back. Its certificates are renewed again, those with names that are another device's by now left out.
  /// - Returns: how many names it holds again.
  func reinstate(_ device: DeviceID) async throws -> Int {
    let administrator = PeerCredentials.administrator
    return try await transact { transaction in
      var record = try transaction.device(device)
      guard record.retiredAt != nil else { return 0 }
      record.retiredAt = nil
      try record.update(transaction.database)
      try transaction.record(Event(.deviceReinstated, "\(administrator) took back the device \(record.key) of \(record.scope).", device: device))
      return try transaction.resumeRenewals(of: record)
    }
  }

  /// Retires a device and gives its names and its history to another one, whose requests that wait for these names go on.
  /// - Returns: how many names moved.
  func replace(_ device: DeviceID, by successor: DeviceID) async throws -> Int {
    let administrator = PeerCredentials.administrator
    return try await transact { transaction in
      let (former, new) = (try transaction.device(device), try transaction.device(successor))
      guard device != successor else { throw Refusal(.badMessage, "A device does not take its own place; name the one that does.") }
      try new.requireActive()
      let names = try transaction.end(former)
      try NamePolicy(maximumNames: .max, suffixes: new.nameSuffixes).check(names)
      try transaction.move(names, from: former, to: new)
      try transaction.record(
        Event(
          .deviceReplaced,
          "\(administrator) gave the place of the device \(former.key) of \(former.scope) to \(new.key) of \(new.scope), with \(names.count) names.",
          device: successor))
      return names.count
    }
  }
}

extension Transaction {
  fileprivate func device(_ id: DeviceID) throws -> DeviceRecord {
    guard let device = try DeviceRecord.fetch(id, from: database) else { throw NotFound.device(id) }
    return device
  }

  /// Nothing is done for a device from now on; what is open ends.
  /// - Returns: the names that it held, which are still its.
  fileprivate mutating func end(_ device: DeviceRecord) throws -> [DNSName] {
    var device = device
    device.retiredAt = device.retiredAt ?? now
    device.adoptedDueAt = nil
    try device.update(database)
    for request in try RequestRecord.current(of: device.id, from: database) where !request.phase.isServed { try handle(.superseded, of: request) }
    for renewal in try RenewalRecord.of(device.id, from: database) { try leaveCampaign(renewal) }
    try RenewalRecord.delete(of: device.id, from: database)
    try CertificateRecord.forgetMoments(of: device.id, in: database)
    for alarm in try AlarmRecord.of(device.id, from: database) { try clear(alarm) }
    return try NameRecord.list(nil, of: device.id, after: nil, limit: .max, from: database).map(\.name)
  }

  /// The certificates of a device are renewed again. What of its names has become another device's stays that one's.
  /// - Returns: how many names it holds.
  fileprivate mutating func resumeRenewals(of record: DeviceRecord) throws -> Int {
    let device = record.id
    for slot in try RequestRecord.slots(of: device, from: database).sorted() {
      guard let request = try RequestRecord.served(of: device, slot: slot, from: database),
        let certificate = try CertificateRecord.of(request.id, from: database), now < certificate.notAfter
      else { continue }
      let binding = try binding(of: request.names, for: record)
      for name in binding.free { try NameRecord(name: name, device: device, since: now).insert(database, onConflict: .replace) }
      guard binding.claimed.isEmpty else { continue }
      try schedule(request, certificate.validity, issuedAt: certificate.issuedAt)
      if certificate.revokedAt != nil, let renewal = try RenewalRecord.of(request.id, from: database) {
        try demand(RenewalDemand(reason: .revoked, from: now), of: renewal)
      }
    }
    return try NameRecord.count(of: device, from: database)
  }

  /// Names and history become another device's. The certificates are history too: it has not their keys.
  fileprivate mutating func move(_ names: [DNSName], from former: DeviceRecord, to new: DeviceRecord) throws {
    for request in try RequestRecord.current(of: former.id, from: database) { try handle(.superseded, of: request) }
    keepQuiet(about: try RequestRecord.list(of: former.id, all: true, after: nil, limit: .max, from: database).map(\.id))
    for table in ["request", "event", "name"] {
      try database.execute(sql: "UPDATE \(table) SET device = ? WHERE device = ?", arguments: [new.id.rawValue, former.id.rawValue])
    }
    for name in names { try grant(name, to: new.id) }
  }

  /// A device that is retired has come. That is an event the first time, and then once a day.
  mutating func turnAway(_ device: DeviceRecord) throws -> Refusal {
    let refusal = device.retirement ?? Refusal(.retired, "This device was retired.")
    if let retiredAt = device.retiredAt, device.lastSeen <= retiredAt || device.lastSeen + .days(1) <= now {
      var device = device
      device.lastSeen = now
      try device.update(database)
      try record(Event(.requestRefused, "\(refusal.word.rawValue): \(refusal.text)", device: device.id))
    }
    return refusal
  }
}

extension DeviceRecord {
  /// Why nothing is done for it; nil for a device that is not retired.
  fileprivate var retirement: Refusal? {
    retiredAt.map { Refusal(.retired, "The device \(key) was retired \($0); `acme-connector devices reinstate \(id)` takes it back.") }
  }

  /// Refuses a device that is retired.
  func requireActive() throws(Refusal) {
    if let retirement { throw retirement }
  }
}
