import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import ServiceRuntime

extension Fleet {
  /// The whole at a glance.
  func status(startedAt: Instant) async throws -> AdminMethods.Status.Reply {
    let (settings, now) = (settings.current, clock.now())
    let authority = settings.authority
    return try await store.read { database in
      func count(_ sql: String) throws -> Int { try Int.fetchOne(database, sql: sql) ?? 0 }
      let states = try Row.fetchAll(database, sql: Self.statesQuery).compactMap { row in
        RequestState(rawValue: row["state"]).map { StateCount(state: $0, count: row["count"]) }
      }
      // What is of a CA for trials nobody trusts: it has ended already.
      let nextExpiry = try Row.fetchAll(database, sql: Self.endsQuery).filter { !IssuerName.isForTrial($0["issuer"]) }
        .map { Instant(milliseconds: $0["notAfter"]) }.min()
      let outage = try authority.flatMap { try AuthorityRecord.health(of: DirectoryURL($0.directory), from: database).outage }
      return .init(
        version: Product.version, startedAt: startedAt, configured: authority != nil, authority: authority?.directory,
        outage: outage.map { AuthorityOutage(error: $0.failure.error.rawValue, text: $0.failure.explanation, since: $0.since, retryAt: $0.retryAt) },
        alarms: try count("SELECT count(*) FROM alarm"),
        devices: try count("SELECT count(*) FROM device WHERE isKnown AND retiredAt IS NULL"), names: try count("SELECT count(*) FROM name"),
        requests: RequestState.allCases.compactMap { state in states.first { $0.state == state } },
        nextExpiry: nextExpiry, schemaVersion: try Schema.version(of: database),
        cautiousUntil: try Self.cautiousUntil(settings, at: now, from: database))
    }
  }

  /// When the first certificate of each issuer ends that is not revoked, and whose device is not retired.
  private static let endsQuery = """
    SELECT issuer, min(notAfter) AS notAfter FROM request JOIN certificate INDEXED BY certificateInForce ON certificate.request = request.id
    WHERE state IN ('ready', 'installed') AND revokedAt IS NULL AND device NOT IN (SELECT id FROM device WHERE retiredAt IS NOT NULL) GROUP BY issuer
    """

  /// How many requests are in which state, those with a revoked certificate apart.
  private static let statesQuery = """
    SELECT CASE WHEN state IN ('ready', 'installed') AND revokedAt IS NOT NULL THEN 'revoked' ELSE state END AS state, count(*) AS count
    FROM request LEFT JOIN certificate INDEXED BY certificateInForce ON certificate.request = request.id GROUP BY 1
    """

  /// The most names of a device, or claims on a name, that are shown with it: what devices bring about without end does not fill a message.
  private static let mostShown = 100

  /// The devices that have described themselves or asked for a certificate, by id: the first after the one given.
  /// - Parameter reference: only those with this id, key or name.
  func devices(called reference: String? = nil, after: String? = nil, limit: Int = .max) async throws -> [DeviceView] {
    try await store.read { database in
      try DeviceRecord.list(called: reference, after: after, limit: limit, from: database).map { device in
        let names = try NameRecord.list(nil, of: device.id, after: nil, limit: Self.mostShown, from: database).map(\.name)
        let seenAt = try VisitRecord.of(device.id, from: database)?.seenAt
        return DeviceView(device, seenAt: seenAt, names: names, nameCount: try NameRecord.count(of: device.id, from: database))
      }
    }
  }

  /// The names, in the order of the alphabet, and who waits for them: the first after the one given.
  func names(_ name: DNSName? = nil, of device: DeviceID? = nil, after: String? = nil, limit: Int = .max) async throws -> [NameView] {
    try await store.read { database in
      try NameRecord.list(name, of: device, after: after, limit: limit, from: database).map { name in
        let claims = try ClaimRecord.on(name.name, limit: Self.mostShown, from: database)
        return NameView(
          name: name.name, device: name.device, since: name.since,
          claims: claims.map { NameClaim(device: $0.device, request: $0.request, since: $0.since) })
      }
    }
  }

  /// The requests and their certificates, oldest first: the first after the one with that number.
  func certificates(of device: DeviceID?, all: Bool, after: Int? = nil, limit: Int = .max) async throws -> [CertificateView] {
    try await store.read { database in
      try RequestRecord.list(of: device, all: all, after: after, limit: limit, from: database).map { request in
        CertificateView(
          request, certificate: try CertificateRecord.of(request.id, from: database), renewal: try RenewalRecord.of(request.id, from: database),
          orderedAt: try AttemptRecord.latest(of: request.id, from: database)?.beganAt, progress: board.progress(of: request.id))
      }
    }
  }

  /// A certificate's chain.
  func chain(of request: RequestID) async throws -> String {
    guard let certificate = try await store.read({ try CertificateRecord.of(request, from: $0) }) else {
      throw NotFound(what: "certificate", which: "of request \(request)")
    }
    return certificate.chain
  }

  /// The first events after the one given, oldest first.
  func events(after: Int, limit: Int, of device: DeviceID?) async throws -> [EventView] {
    try await store.read { database in
      try EventRecord.list(after: after, limit: limit, device: device, from: database).map(EventView.init)
    }
  }

  /// The event after which the newest `count` come; 0 if there are no more than these.
  func place(beforeNewest count: Int, of device: DeviceID?) async throws -> Int {
    guard count > 0 else { throw Refusal(.badMessage, "At least one event has to be asked for.") }
    return try await store.read { try EventRecord.place(beforeNewest: count, device: device, from: $0) }
  }

  /// The alarms that stand, oldest first: the first after the one given.
  func alarms(of device: DeviceID?, after: Int? = nil, limit: Int = .max) async throws -> [AlarmView] {
    try await store.read { database in
      try AlarmRecord.list(of: device, after: after, limit: limit, from: database).map { alarm in
        AlarmView(
          id: Int(alarm.id ?? 0), code: alarm.code, severity: alarm.severity, text: alarm.text, device: alarm.device,
          slot: alarm.device == nil ? nil : alarm.slot,
          name: alarm.name, since: alarm.since)
      }
    }
  }
}

extension DeviceView {
  fileprivate init(_ device: DeviceRecord, seenAt: Instant?, names: [DNSName], nameCount: Int) {
    self.init(
      id: device.id, scope: device.scope, key: device.key, name: device.description?.name, kind: device.description?.kind,
      product: device.description?.product, version: device.description?.version, roles: device.description?.roles ?? [], address: device.address,
      firstSeen: device.firstSeen, lastSeen: max(device.lastSeen, seenAt ?? .earliest), names: names, nameCount: nameCount,
      retiredAt: device.retiredAt)
  }
}

extension CertificateView {
  fileprivate init(
    _ request: RequestRecord, certificate: CertificateRecord?, renewal: RenewalRecord?, orderedAt: Instant?, progress: OrderBoard.Progress?
  ) {
    var failure: AttemptFailure?
    var dueAt = renewal?.dueAt
    switch request.phase {
    case .failed(let reason, _): failure = reason
    case .waitingForName(let reason, let again): (failure, dueAt) = (reason, again)
    default: break
    }
    if case .notDue(let moment) = request.phase { dueAt = moment }
    if let moment = request.waitUntil { dueAt = moment }
    self.init(
      number: Int(request.number ?? 0), request: request.id, device: request.device, slot: request.slot, names: request.names,
      state: RequestState(request.phase, certificate: certificate, progress: progress), fingerprint: certificate?.fingerprint,
      serial: certificate?.serial,
      issuer: certificate?.issuer, notBefore: certificate?.notBefore, notAfter: certificate?.notAfter, dueAt: dueAt,
      orderedAt: orderedAt, issuedAt: certificate?.issuedAt, deliveredAt: certificate?.deliveredAt, installedAt: certificate?.installedAt,
      servedAt: certificate?.servedAt, requestedAt: request.requestedAt, changedAt: request.changedAt, newOrders: request.newOrders,
      error: failure?.error.rawValue,
      text: failure?.explanation ?? request.waitReason.map { "It waits for \($0)." })
  }
}

extension EventView {
  fileprivate init(_ event: EventRecord) {
    self.init(
      id: Int(event.id ?? 0), at: event.at, severity: event.severity, code: event.code, text: event.text, device: event.device,
      request: event.request, name: event.name, trace: event.trace)
  }
}
