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
      guard let record = try DeviceRecord.fetch(device, from: transaction.database) else { throw NotFound.device(device) }
      let request = try transaction.submit(csr, application, of: record)
      return try view(of: request, in: transaction.database)
    }
    RehearsedDeath.at("scheduler.requestStored")
    return accepted
  }

  /// Where a request of a device stands: by id, by the hash of its CSR, or the newest of a slot.
  func resume(_ device: DeviceID, request: RequestID?, csrHash: Fingerprint?, slot: String?) async throws -> RequestView {
    try await store.read { database in
      try DeviceRecord.fetch(device, from: database)?.requireActive()
      let found: RequestRecord? =
        if let request {
          try RequestRecord.fetch(request, from: database)
        } else if let csrHash {
          try RequestRecord.withCSR(csrHash, of: device, from: database).first
        } else {
          try RequestRecord.newest(of: device, slot: slot ?? Application.standardSlot, from: database)
        }
      guard let found, found.device == device else {
        throw NotFound(
          what: "request", which: request?.rawValue ?? csrHash.map { "with the CSR \($0.hex)" } ?? "of slot \(slot ?? Application.standardSlot)")
      }
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
    try device.requireActive()
    guard let authority = settings.authority else {
      throw Refusal(.notConfigured, "No certificate authority is set yet; an administrator has to set authority.directory.")
    }
    let policy = NamePolicy(
      maximumNames: settings.devices.maxDnsNames, isAuthorityPublic: settings.isAuthorityPublic, suffixes: device.nameSuffixes)
    try policy.check(csr.names)
    guard try !isCompromised(csr.keyPin) else {
      throw Refusal.compromisedKey
    }

    let earlier = try RequestRecord.withCSR(csr.hash, of: device.id, slot: application.slot, from: database)
    let submission = Submission(
      earlier: try earlier.map(submissionEarlier),
      standing: application.isByAdministrator ? nil : try standing(for: csr, application, of: device), force: application.force,
      authority: authority.directory, now: now)
    switch submission {
    case .joins(let id):
      guard let request = earlier.first(where: { $0.id == id }) else { throw NotFound.request(id) }
      explain("the CSR is that of this request, which it joins", of: request)
      return try application.force || application.isByAdministrator ? triedNow(request, application) : request
    case .isEarly(let moment):
      return try enter(csr, application, of: device, authority: authority.directory, dueAt: moment)
    case .isNew:
      return try enter(csr, application, of: device, authority: authority.directory, dueAt: nil)
    }
  }

  /// The request again, without waiting any longer: an administrator ends every pause, a device that forces it not that after a failure.
  private mutating func triedNow(_ request: RequestRecord, _ application: Fleet.Application) throws -> RequestRecord {
    switch request.phase {
    case .failed where application.isByAdministrator, .waitingForName where application.isByAdministrator: break
    case .notDue(let moment):
      if !application.isByAdministrator, let end = try floorEnd(request.names, slot: request.slot, of: request.device) {
        try handle(.postponed(until: min(moment, end)), of: request)
        return try RequestRecord.fetch(request.id, from: database) ?? request
      }
    default: return request
    }
    if try !claimLostNames(of: request) { try handle(.renewed, of: request) }
    return try RequestRecord.fetch(request.id, from: database) ?? request
  }

  /// Until when a slot that has just got a certificate for exactly these names gets no other, unless somebody wants it replaced: a device that makes one CSR
  /// after the other would use up what the CA grants for the names (Let's Encrypt: five a week). One that was never handed over does not count, once:
  /// its device may have lost the key, and has nothing.
  private func floorEnd(_ names: [DNSName], slot: String, of device: DeviceID) throws -> Instant? {
    guard try demand(on: slot, of: device) == nil else { return nil }
    let rule = settings.renewalRule
    let recent = try CertificateRecord.issued(for: names, to: device, slot: slot, after: now - rule.floor, from: database)
      .filter { $0.issuedAt <= now && $0.revokedAt == nil && DirectoryURL($0.authority) == rule.authority }
    guard let last = recent.first, recent.count > 1 || last.deliveredAt != nil else { return nil }
    let end = RenewalSchedule(last.validity, issuedAt: last.issuedAt).floorEnd(by: rule)
    return now < end ? end : nil
  }

  /// The certificate that the device has for the names of a CSR, if it has shown that it has it: it wants to replace it, or told of it. One that has lost
  /// its certificate cannot wait.
  private func standing(
    for csr: SigningRequest, _ application: Fleet.Application, of device: DeviceRecord
  ) throws -> Submission.Certificate? {
    let renewal = try RenewalRecord.of(device.id, slot: application.slot, from: database).first
    // A CSR that the connector has asked for is not early.
    if case .wanted = renewal?.stage { return nil }
    guard renewal?.demand == nil else { return nil }
    let told = brought(by: device).filter { Set($0.names) == Set(csr.names) }
    if let served = try RequestRecord.served(of: device.id, slot: application.slot, from: database), Set(served.names) == Set(csr.names),
      let certificate = try CertificateRecord.of(served.id, from: database),
      application.replaces == certificate.fingerprint || told.contains(where: { $0.fingerprint == certificate.fingerprint })
    {
      return try submissionCertificate(certificate)
    }
    return try told.first.map { certificate in
      let known = try CertificateRecord.with(certificate.fingerprint, from: database).first
      return try known.map(submissionCertificate)
        ?? Submission.Certificate(
          validity: certificate.validity, dueAt: dueAt(certificate), isRevoked: false, authority: nil,
          isForTrial: certificate.isForTrial)
    }
  }

  /// - Parameter dueAt: when it is ordered; nil for now.
  private mutating func enter(
    _ csr: SigningRequest, _ application: Fleet.Application, of device: DeviceRecord, authority: String, dueAt: Instant?
  ) throws -> RequestRecord {
    let binding = try binding(of: csr.names, for: device)
    guard try NameRecord.count(of: device.id, from: database) + binding.free.count <= Self.mostNames else {
      throw Refusal(.tooManyNames, "The device holds \(Self.mostNames) names already; an administrator has to clear up.")
    }
    let slots = try RequestRecord.slots(of: device.id, from: database)
    guard slots.contains(application.slot) || slots.count < Self.mostSlots else {
      throw Refusal(.notAllowed, "The device has certificates in \(slots.count) slots already, and no more are kept; let it use one of those.")
    }
    let machine = RequestMachine(
      awaiting: binding.claimed.first, dueAt: dueAt,
      after: application.isByAdministrator ? nil : try pausing(csr, slot: application.slot, of: device.id))
    var request = RequestRecord(
      id: RequestID(rawValue: chance.identifier()), device: device.id, slot: application.slot, csr: csr,
      // What is kept for emergencies is a person's to spend, and no device's.
      isForced: try application.isByAdministrator && application.force && demand(on: application.slot, of: device.id) == nil,
      replaces: application.replaces, authority: authority, machine: machine, trace: trace, now: now
    )
    request.neededBy = try neededBy(of: request)
    if request.phase == .queued, !application.isByAdministrator, let end = try floorEnd(csr.names, slot: request.slot, of: device.id) {
      request.rest(until: end)
    }
    try request.insert(database)
    let when =
      dueAt.map { "kept until \($0), for the device has a certificate that is not due" }
      ?? request.waitUntil.map { "to be ordered \($0), for its names have just had a certificate" } ?? "to be ordered"
    explain(
      "the CSR is a new request, \(when); \(binding.free.count) of its names are new, \(binding.claimed.count) are others'", of: request)
    try makeKnown(device)
    try database.execute(sql: "UPDATE device SET adoptedDueAt = NULL WHERE id = ?", arguments: [device.id.rawValue])
    for name in binding.free { try NameRecord(name: name, device: device.id, since: now).insert(database, onConflict: .replace) }
    try recordSparingly(
      Event(
        .requestAccepted, "The CSR for \(csr.names.summary) was accepted as request \(request.id).", device: device.id, request: request.id))
    try claim(binding.claimed, for: request)
    try supersede(olderThan: request) { !$0.isServed }
    if dueAt == nil { try advance(slot: request.slot, of: device.id, .requested) }
    note(request)
    return request
  }

  /// The request of the slot that has failed for the same names, and waits to be tried again: another CSR changes nothing about what was wrong.
  private func pausing(_ csr: SigningRequest, slot: String, of device: DeviceID) throws -> RequestMachine? {
    guard let newest = try RequestRecord.newest(of: device, slot: slot, from: database), case .failed(_, again: .some) = newest.phase,
      Set(newest.names) == Set(csr.names)
    else { return nil }
    return newest.machine
  }

  private func neededBy(of request: RequestRecord) throws -> Instant {
    let end = try validityInUse(before: request)?.notAfter
    let renewal = try RenewalRecord.of(request.device, slot: request.slot, from: database).first
    return Urgency.neededBy(end: end, deadline: renewal?.demand?.deadline, isEmergency: renewal?.isEmergency == true, at: now)
  }

  private func demand(on slot: String, of device: DeviceID) throws -> RenewalDemand? {
    try RenewalRecord.of(device, slot: slot, from: database).first?.demand
  }

  private func submissionEarlier(_ request: RequestRecord) throws -> Submission.Earlier {
    let certificate = try CertificateRecord.of(request.id, from: database).map(submissionCertificate)
    return Submission.Earlier(id: request.id, phase: request.phase, certificate: certificate)
  }

  private func submissionCertificate(_ certificate: CertificateRecord) throws -> Submission.Certificate {
    let dueAt = try RenewalRecord.of(certificate.request, from: database)?.dueAt
    return Submission.Certificate(
      validity: certificate.validity,
      dueAt: dueAt ?? RenewalSchedule(certificate.validity, issuedAt: certificate.issuedAt).dueAt(by: settings.renewalRule),
      isRevoked: certificate.revokedAt != nil, authority: certificate.authority, isForTrial: certificate.isForTrial)
  }
}
