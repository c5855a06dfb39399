import ACMEClientAPI
import GRDB
import Logging
import PKI
import SchedulerAPI
import Telemetry
import Varlink

/// One look at the names of a certificate that its device has installed.
struct Observation: Sendable {
  /// The request that led to the certificate.
  let request: RequestID
  let device: DeviceID
  let names: [DNSName]
  let ports: [Int]
  let privateAddresses: Bool
  let trace: TraceContext

  /// How many names are looked at.
  private static let mostNames = 10
  /// How long acme-client may take for one name and port: four addresses of it, each with a connection and a handshake.
  private static let timeLimit = Duration.seconds(90)

  /// Returns when what was seen is on disk, or the task is cancelled.
  func run(fleet: Fleet, client: VarlinkClient, clock: any Clock<Duration>) async {
    await RetryPolicy(clock: clock, chance: fleet.chance, logger: fleet.logger).persist(in: "Observe") {
      var sightings: [ServedWatch.Sighting] = []
      for name in names.prefix(Self.mostNames) {
        for port in ports { sightings += try await look(at: name, port, client, logger: fleet.logger) }
      }
      try await fleet.transact { [sightings] in try $0.take(sightings, for: request) }
    }
  }

  private func look(at name: DNSName, _ port: Int, _ client: VarlinkClient, logger: Logger) async throws -> [ServedWatch.Sighting] {
    do {
      let reply = try await client.call(
        ACMEClient.Observe.self, .init(name: name, port: port, privateAddresses: privateAddresses), timeLimit: Self.timeLimit)
      return reply.sightings.compactMap { sighting in
        sighting.fingerprint.map { .init(name: name, port: port, address: sighting.address, fingerprint: $0) }
      }
    } catch let error where !RetryPolicy.isTransient(error) && !(error is CancellationError) {
      logger.notice("a name could not be looked at", error: error, metadata: [.name: name, .device: device, .request: request])
      return []
    }
  }
}

extension Transaction {
  /// The looks whose time has come, beside those that are under way.
  func observations(_ limit: Int, beside underWay: Set<RequestID>) throws -> [Observation] {
    guard !settings.servedPorts.isEmpty else { return [] }
    let due = try CertificateRecord.toObserve(limit + underWay.count, at: now, from: database).filter { !underWay.contains($0.request) }
    return try due.prefix(max(0, limit - underWay.count)).compactMap { certificate in
      guard let request = try RequestRecord.fetch(certificate.request, from: database) else { return nil }
      return Observation(
        request: request.id, device: request.device, names: request.names, ports: settings.servedPorts,
        privateAddresses: settings.servedPrivateAddresses, trace: request.trace)
    }
  }

  /// What was seen at the names of a certificate.
  mutating func take(_ sightings: [ServedWatch.Sighting], for id: RequestID) throws {
    guard let request = try RequestRecord.fetch(id, from: database), var certificate = try CertificateRecord.of(id, from: database) else { return }
    certificate.observeAt = nil
    // One that has a successor, or a device that is retired, is of no interest any more.
    let isRetired = try DeviceRecord.fetch(request.device, from: database)?.retiredAt != nil
    if !isRetired, request.phase == .installed, let installedAt = certificate.installedAt {
      let standing = try AlarmRecord.of(request.device, from: database).first { $0.code == .notServed && $0.slot == request.slot }
      switch ServedWatch(fingerprint: certificate.fingerprint, installedAt: installedAt).verdict(sightings, at: now) {
      case .served:
        certificate.servedAt = now
        try record(
          Event(
            .certificateServed, "The certificate for \(request.names.summary) is served.", device: request.device, request: id,
            serial: certificate.serial))
        if let standing { try clear(standing) }
      case .another(let other, let isAlarm, let moment):
        certificate.observeAt = moment
        if isAlarm { try raise(.notServed(request.names, other, installedAt), of: request.device, slot: request.slot, over: standing) }
      case .unseen(let moment):
        certificate.observeAt = moment
        // Where nobody answers any more, nothing wrong is served.
        if let standing { try clear(standing) }
      }
    }
    try certificate.update(database)
    hasWork = true
  }
}

extension Alarm {
  fileprivate static func notServed(_ names: [DNSName], _ other: ServedWatch.Sighting, _ installedAt: Instant) -> Alarm {
    let text = """
      The device confirmed \(installedAt) that it uses the new certificate for \(names.summary), but \(other.name) at \(other.address), port \(other.port), serves \
      another one (\(other.fingerprint.hex.prefix(16))…); see what stands before the device, or restart it.
      """
    return Alarm(code: .notServed, severity: .indeterminate, text: text, name: other.name)
  }
}
