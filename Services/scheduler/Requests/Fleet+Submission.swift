import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import ServiceRuntime

extension Fleet {
  /// What a device hands in.
  struct Application: Sendable {
    /// PEM, or base64 of the DER.
    var csr: String
    var slot = "default"
    /// If given, exactly the names of the CSR.
    var dnsNames: [String]?
    var replaces: Fingerprint?
    var force = false
    /// A person wants it: now, and as often as that.
    var isByAdministrator = false
  }

  /// Takes a CSR. When it returns, the request is on disk.
  func submit(_ application: Application, of device: DeviceID) async throws -> RequestView {
    do {
      return try await accept(application, of: device)
    } catch let refusal as Refusal {
      try await transact { transaction in
        let known = try DeviceRecord.fetch(device, from: transaction.database) != nil
        try transaction.recordSparingly(
          Event(.requestRefused, "\(refusal.word.rawValue): \(refusal.text)", device: known ? device : nil, name: refusal.name))
      }
      throw refusal
    }
  }

  private func accept(_ application: Application, of device: DeviceID) async throws -> RequestView {
    try application.requirePlainSlot()
    let csr: SigningRequest
    do {
      csr = try SigningRequest(application.csr)
      if let names = application.dnsNames { try csr.requireNames(exactly: names) }
    } catch {
      throw Refusal(error)
    }
    let accepted = try await transact { transaction in
      guard let record = try DeviceRecord.fetch(device, from: transaction.database) else { throw NotFound(what: "device") }
      let request = try transaction.submit(csr, application, of: record)
      return try view(of: request, in: transaction.database)
    }
    RehearsedDeath.at("scheduler.requestStored")
    return accepted
  }

  /// Where a request of a device stands: by id, by the hash of its CSR, or the newest of a slot.
  func resume(_ device: DeviceID, request: RequestID?, csrHash: Fingerprint?, slot: String?) async throws -> RequestView {
    try await store.read { database in
      let found: RequestRecord? =
        if let request {
          try RequestRecord.fetch(request, from: database)
        } else if let csrHash {
          try RequestRecord.withCSR(csrHash, of: device, from: database).first
        } else {
          try RequestRecord.newest(of: device, slot: slot ?? Application.standardSlot, from: database)
        }
      guard let found, found.device == device else { throw NotFound(what: "request") }
      return try view(of: found, in: database)
    }
  }
}

extension Fleet.Application {
  /// The slot of a device that has one certificate.
  static let standardSlot = "default"

  fileprivate func requirePlainSlot() throws(Refusal) {
    guard (1...64).contains(slot.utf8.count), slot.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw Refusal(.badMessage, "A slot is named by 1 to 64 printable ASCII characters without spaces.")
    }
  }
}

extension Transaction {
  /// The most names that one device may hold.
  private static let mostNames = 10_000
  /// The most certificates that one device may have beside each other.
  private static let mostSlots = 32

  /// Takes a CSR that is in order: it joins the request that it repeats, or becomes a new one.
  mutating func submit(_ csr: SigningRequest, _ application: Fleet.Application, of device: DeviceRecord) throws -> RequestRecord {
    guard let authority = settings.authority else {
      throw Refusal(.notConfigured, "No certificate authority is set yet; an administrator has to set authority.directory.")
    }
    let policy = NamePolicy(
      maximumNames: settings.devices.maxDnsNames, isAuthorityPublic: settings.isAuthorityPublic, suffixes: device.nameSuffixes)
    try policy.check(csr.names)
    guard try !isCompromised(csr.keyPin) else {
      throw Refusal(.newKeyRequired, "The key in this CSR has become known to others and must not be used again; make a new one.")
    }

    let earlier = try RequestRecord.withCSR(csr.hash, of: device.id, slot: application.slot, from: database)
    let submission = Submission(
      earlier: try earlier.map(submissionEarlier), force: application.force, authority: authority.directory,
      renewDays: settings.devices.renewDays, now: now)
    if case .joins(let id) = submission, let request = earlier.first(where: { $0.id == id }) {
      return try application.isByAdministrator ? triedNow(request) : request
    }
    if application.force, !application.isByAdministrator { try requireForcePause(csr.names, of: device.id) }
    return try enter(csr, application, of: device, authority: authority.directory)
  }

  /// The request again, without its pause if it has one.
  private mutating func triedNow(_ request: RequestRecord) throws -> RequestRecord {
    guard case .failed = request.phase else { return request }
    if try !claimLostNames(of: request) { try handle(.renewed, of: request) }
    return try RequestRecord.fetch(request.id, from: database) ?? request
  }

  /// A device that forces one certificate after the other would use up what the CA grants for the names (Let's Encrypt: five a week).
  private func requireForcePause(_ names: [DNSName], of device: DeviceID) throws {
    guard let last = try CertificateRecord.lastIssued(names, to: device, upTo: now, from: database), now < last + Self.forcePause else { return }
    let seconds = (last + Self.forcePause - now).components.seconds
    throw Refusal(
      .rateLimited, "A certificate for exactly these names was issued a moment ago; another one can be forced in \((seconds + 59) / 60) minutes.")
  }

  /// The least time between two certificates for the same names that a device forces.
  private static let forcePause = Duration.seconds(600)

  private mutating func enter(
    _ csr: SigningRequest, _ application: Fleet.Application, of device: DeviceRecord, authority: String
  ) throws -> RequestRecord {
    let binding = NameBinding(csr.names, for: device.id, holders: try NameRecord.holders(of: csr.names, from: database))
    guard try NameRecord.count(of: device.id, from: database) + binding.free.count <= Self.mostNames else {
      throw Refusal(.tooManyNames, "The device holds \(Self.mostNames) names already; an administrator has to clear up.")
    }
    let slots = try RequestRecord.slots(of: device.id, from: database)
    guard slots.contains(application.slot) || slots.count < Self.mostSlots else {
      throw Refusal(.notAllowed, "The device has certificates in \(slots.count) slots already, and no more are kept; let it use one of those.")
    }
    let request = try RequestRecord(
      id: RequestID(rawValue: chance.identifier()), device: device.id, slot: application.slot, csr: csr, isForced: application.force,
      replaces: application.replaces, authority: authority, machine: RequestMachine(awaiting: binding.claimed.first), trace: trace, now: now
    ).inserted(database)
    try makeKnown(device)
    for name in binding.free { try NameRecord(name: name, device: device.id, since: now).insert(database) }
    try recordSparingly(
      Event(
        .requestAccepted, "The CSR for \(csr.names.summary) was accepted as request \(request.id).", device: device.id, request: request.id))
    try claim(binding.claimed, for: request)
    try supersede(olderThan: request) { !$0.isServed }
    note(request)
    return request
  }

  private func isCompromised(_ key: SubjectPublicKeyPin) throws -> Bool {
    try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM compromisedKey WHERE keyPin = ?)", arguments: [key.hex]) ?? false
  }

  private func submissionEarlier(_ request: RequestRecord) throws -> Submission.Earlier {
    let certificate = try CertificateRecord.of(request.id, from: database).map {
      Submission.Certificate(validity: $0.validity, isRevoked: $0.revokedAt != nil, authority: $0.authority)
    }
    return Submission.Earlier(id: request.id, phase: request.phase, certificate: certificate)
  }
}

extension [DNSName] {
  /// The names for a sentence: all if they are few.
  var summary: String {
    count <= 3 ? map(\.value).joined(separator: ", ") : "\(self[0]) and \(count - 1) more names"
  }
}
