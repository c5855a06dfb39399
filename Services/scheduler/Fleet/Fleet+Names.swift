import GRDB
import PKI
import SchedulerAPI
import ServiceRuntime
import Varlink

extension Fleet {
  /// Gives a name to the device that waits for it; its requests go on, and those of the former holder wait in turn. A name that is the device's
  /// already stays it: a call may come twice.
  func approve(_ name: DNSName, for device: DeviceID) async throws {
    let administrator = PeerCredentials.administrator
    try await transact { transaction in
      let claims = try ClaimRecord.on(name, from: transaction.database).filter { $0.device == device }
      if claims.isEmpty, try NameRecord.holders(of: [name], from: transaction.database)[name] == device { return }
      guard !claims.isEmpty else { throw NotFound(what: "claim", which: "of \(device) on \(name)") }
      try transaction.give(name, to: device, by: administrator)
      try transaction.grant(name, to: device)
    }
    RehearsedDeath.at("scheduler.nameApproved")
  }
}

extension Transaction {
  /// A request asks for names that other devices hold.
  mutating func claim(_ names: [DNSName], for request: RequestRecord) throws {
    for name in names {
      try ClaimRecord(name: name, request: request.id, device: request.device, since: now).insert(database)
      try recordSparingly(
        Event(
          .nameClaimed, "\(name) belongs to another device; the request waits until an administrator approves it or the name is taken out.",
          device: request.device, request: request.id, name: name))
    }
  }

  /// Which of these names a device gets.
  func binding(of names: [DNSName], for device: DeviceRecord) throws -> NameBinding {
    let holders = try NameRecord.holders(of: names, from: database)
    let parties = try Set(holders.values).reduce(into: [DeviceID: NameBinding.Party]()) { parties, id in
      parties[id] = try DeviceRecord.fetch(id, from: database)?.party
    }
    return NameBinding(names, for: device.party, holders: holders.compactMapValues { parties[$0] })
  }

  /// A request is about to be ordered: if names of it have become another device's meanwhile, it waits for an administrator.
  /// - Returns: whether there are such names.
  mutating func claimLostNames(of request: RequestRecord) throws -> Bool {
    guard let device = try DeviceRecord.fetch(request.device, from: database) else { return false }
    let claimed = try binding(of: request.names, for: device).claimed
    guard let name = claimed.first else { return false }
    try claim(claimed, for: request)
    try handle(.nameTaken(name), of: request)
    return true
  }

  /// A name is nobody's any more. Who has waited for it longest gets it: it would be his if he asked now.
  mutating func release(_ name: DNSName) throws {
    guard let first = try ClaimRecord.on(name, limit: 1, from: database).first else {
      try database.execute(sql: "DELETE FROM name WHERE name = ?", arguments: [name.value])
      return
    }
    try NameRecord(name: name, device: first.device, since: now).insert(database, onConflict: .replace)
    try record(Event(.nameApproved, "\(name) became free, and the device that waited for it has it.", device: first.device, name: name))
    try grant(name, to: first.device)
  }

  /// The requests of a device that wait for a name, which is the device's now, go on.
  mutating func grant(_ name: DNSName, to device: DeviceID) throws {
    for claim in try ClaimRecord.on(name, from: database) where claim.device == device {
      guard let request = try RequestRecord.fetch(claim.request, from: database) else { continue }
      try claim.delete(database)
      try goOn(request)
    }
  }

  fileprivate mutating func give(_ name: DNSName, to device: DeviceID, by administrator: String) throws {
    let former = try NameRecord.holders(of: [name], from: database)[name]
    try NameRecord(name: name, device: device, since: now).insert(database, onConflict: .replace)
    try record(Event(.nameApproved, "\(administrator) gave \(name) to another device.", device: device, name: name))
    guard let former, former != device else { return }
    for request in try RequestRecord.current(of: former, from: database) where request.names.contains(name) {
      switch request.phase {
      case .notDue, .queued, .waitingForName, .failed(_, again: .some), .awaitingApproval:
        try claim([name], for: request)
        try handle(.nameTaken(name), of: request)
      case .ordering, .failed(_, again: nil), .ready, .installed, .superseded:
        // What is ordered or issued is done; the next attempt or request will have to claim the name.
        break
      }
    }
  }

  /// A request has got one of the names that it waited for.
  fileprivate mutating func goOn(_ request: RequestRecord) throws {
    guard case .awaitingApproval = request.phase else { return }
    if let next = try ClaimRecord.of(request.id, from: database).first {
      var request = request
      request.keep(RequestMachine(awaiting: next.name), at: now)
      try request.update(database)
      note(request)
    } else {
      try handle(.namesGranted, of: request)
    }
  }
}

extension PeerCredentials {
  /// Who has something done, to begin a sentence with.
  static var administrator: String { caller.map { "\($0)" } ?? "An administrator" }
}
