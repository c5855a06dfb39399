import ACMEClientAPI
import FoundationEssentials
import Logging
import PKI
import SchedulerAPI
import ServiceRuntime
import Telemetry
import Varlink

/// One order: asks acme-client for the certificate of a request, tells how far it is, and keeps what comes of it.
struct Order: Sendable {
  private let request: RequestRecord
  private let authority: Authority
  private let fleet: Fleet
  private let client: VarlinkClient
  private let clock: any Clock<Duration>

  /// How long acme-client may take in one go; then it is asked anew, and takes the order up.
  private static let timeLimit = Duration.seconds(1_800)

  /// - Parameter authority: the CA that the order began with; the settings may name another one by now.
  init(_ request: RequestRecord, from authority: Authority, fleet: Fleet, client: VarlinkClient, clock: any Clock<Duration>) {
    self.request = request
    self.authority = authority
    self.fleet = fleet
    self.client = client
    self.clock = clock
  }

  /// Returns when the outcome is on disk, or the task is cancelled.
  func run() async {
    let consultation = Consultation(before: request, from: authority, fleet: fleet, client: client, clock: clock)
    switch consultation.mode {
    case .off:
      await obtain(unless: nil)
    case .block:
      await obtain(unless: await consultation.obstacle())
    case .advise:
      let (failures, failed) = AsyncStream.makeStream(of: Void.self)
      await withTaskGroup(of: Void.self) { tasks in
        tasks.addTask { await consultation.advise(after: failures) }
        // An order that has failed is when the doctor's word is wanted.
        if await obtain(unless: nil) { tasks.cancelAll() } else { failed.finish() }
      }
    }
  }

  /// - Parameter obstacle: why nothing is to be ordered now.
  /// - Returns: whether it has not failed.
  @discardableResult
  private func obtain(unless obstacle: AttemptFailure?) async -> Bool {
    let retries = RetryPolicy(clock: clock, chance: fleet.chance, logger: fleet.logger)
    let isWell = await retries.persist(in: "Issue") {
      // It may have been superseded before anybody could stop it.
      guard try await fleet.isOrdering(request.id) else { return true }
      if let obstacle {
        try await fleet.fail(request.id, obstacle)
        return false
      }
      do {
        let csr = try SigningRequest(der: Array(request.csr))
        try await keep(try await issue(csr), for: csr)
        return true
      } catch let failed as ACMEClient.Failed {
        try await fleet.fail(request.id, AttemptFailure(failed.problem), newOrders: failed.problem.newOrders)
      } catch let rejection as SigningRequestRejection {
        // An earlier version took it; it must not hold a place in the queue for ever.
        try await fleet.fail(
          request.id, AttemptFailure(error: Problem.Word(rawValue: rejection.code.rawValue), text: rejection.description, isFinal: true))
      } catch let error as VarlinkError where !RetryPolicy.isTransient(error) {
        fleet.logger.log(
          .internalFault, "acme-client gave no proper answer", error: error, metadata: [.request: request.id, .device: request.device])
        try await fleet.fail(request.id, .internalError("The ACME client of the connector gave no proper answer; its journal tells why."))
      }
      return false
    }
    return isWell ?? true
  }

  private func issue(_ csr: SigningRequest) async throws -> ACMEClient.Issue.Reply {
    let parameters = ACMEClient.Issue.Parameters(
      request: request.id.rawValue, authority: authority, csr: csr.pem, replaces: try await fleet.replaced(by: request, at: authority),
      device: request.device.rawValue)
    let late = VarlinkError(
      .timedOut, method: ACMEClient.Issue.qualifiedName, peer: client.path, detail: "no certificate within \(Self.timeLimit)")
    return try await within(Self.timeLimit, on: clock, or: late) {
      try await client.stream(ACMEClient.Issue.self, parameters) { try await advance(to: $0) }
    }
  }

  private func advance(to reply: ACMEClient.Issue.Reply) async throws {
    if let date = reply.date { try await fleet.compareClock(with: date, of: authority.directory) }
    let state: RequestState =
      switch reply.step {
      case .ordering: .ordering
      case .challenging: .challenging
      case .finalizing, .issued: .finalizing
      }
    guard fleet.board.advance(request.id, to: .init(state: state, name: reply.name)) else { return }
    let view = RequestView(id: request.id, slot: request.slot, state: state, name: reply.name, trace: request.trace)
    fleet.watched.changes.publish(Watched.Change(device: request.device, request: view))
  }

  private func keep(_ reply: ACMEClient.Issue.Reply, for csr: SigningRequest) async throws {
    RehearsedDeath.at("scheduler.chainReceived")
    do {
      guard reply.step == .issued, let pem = reply.chain else { throw PKIError(.malformed, "The answer has no chain.") }
      let chain = try CertificateChain(pem: pem)
      try chain.verify(against: csr)
      try await fleet.keep(
        chain, for: request.id, newOrders: reply.newOrders ?? 1, replacesRefused: reply.replacesRefused ?? false, date: reply.date)
    } catch let error as PKIError {
      // The next attempt must not be given the same chain again.
      _ = try await client.call(ACMEClient.Release.self, .init(request: request.id.rawValue), timeLimit: .seconds(30))
      try await fleet.fail(request.id, .internalError("The certificate that came is not what was asked for: \(error.text)"))
      return
    }
    RehearsedDeath.at("scheduler.chainStored")
  }
}
