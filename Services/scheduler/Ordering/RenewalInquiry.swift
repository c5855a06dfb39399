import ACMEClientAPI
import FoundationEssentials
import Logging
import PKI
import SchedulerAPI
import Telemetry
import Varlink

/// One question to a CA: when would it like this certificate to be renewed (RFC 9773)?
struct RenewalInquiry: Sendable {
  /// The request that led to the certificate.
  let request: RequestID
  let device: DeviceID
  let leaf: String
  let authority: Authority
  let trace: TraceContext

  /// How long acme-client may take.
  private static let timeLimit = Duration.seconds(60)

  /// Returns when the answer, or that there was none, is on disk, or the task is cancelled.
  func run(fleet: Fleet, client: VarlinkClient, clock: any Clock<Duration>) async {
    await RetryPolicy(clock: clock, chance: fleet.chance, logger: fleet.logger).persist(in: "GetRenewalInfo") {
      let (answer, date) = try await ask(client, logger: fleet.logger)
      try await fleet.transact { transaction in
        try transaction.take(answer, for: request)
        if let date { try transaction.reviewOwnClock(by: date, of: authority.directory) }
      }
    }
  }

  private func ask(_ client: VarlinkClient, logger: Logger) async throws -> (answer: RenewalSchedule.Answer, date: Instant?) {
    do {
      let reply = try await client.call(
        ACMEClient.GetRenewalInfo.self, .init(authority: authority, certificate: leaf), timeLimit: Self.timeLimit)
      guard reply.supported else { return (.unsupported, reply.date) }
      guard let start = reply.start, let end = reply.end else { return (.lastingError, reply.date) }
      let answer = RenewalSchedule.Answer.window(
        start: start, end: end, explanation: reply.explanation, retryAfter: reply.retryAfter.map { .seconds($0) })
      return (answer, reply.date)
    } catch let failed as ACMEClient.Failed {
      switch failed.problem.error {
      case .caUnavailable, .rateLimited: return (.temporaryError(retryAfter: failed.problem.retryAfter.map { .seconds($0) }), nil)
      default: return (.lastingError, nil)
      }
    } catch let error as VarlinkError where !RetryPolicy.isTransient(error) {
      logger.log(.internalFault, "acme-client gave no proper answer", error: error, metadata: [.request: request, .device: device])
      return (.lastingError, nil)
    }
  }
}

extension Transaction {
  /// The questions whose time has come, beside those that are being asked. A CA that is not set any more is not asked.
  mutating func inquiries(_ limit: Int, beside underWay: Set<RequestID>) throws -> [RenewalInquiry] {
    let due = try RenewalRecord.toPoll(limit + underWay.count, at: now, from: database).filter { !underWay.contains($0.request) }
    var inquiries: [RenewalInquiry] = []
    for renewal in due.prefix(max(0, limit - underWay.count)) {
      if let certificate = try CertificateRecord.of(renewal.request, from: database),
        let request = try RequestRecord.fetch(renewal.request, from: database),
        let authority = settings.authority(at: certificate.authority),
        let leaf = try? CertificateChain(pem: certificate.chain).leaf
      {
        inquiries.append(
          RenewalInquiry(request: renewal.request, device: request.device, leaf: leaf.pem, authority: authority, trace: request.trace))
      } else {
        try take(.unsupported, for: renewal.request)
      }
    }
    return inquiries
  }
}
