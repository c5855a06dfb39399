import ACMEClientAPI
import Logging
import Metrics
import PKI
import ServiceRuntime
import Telemetry
import Varlink

/// Obtains the certificate of one request, from its first call to the chain on disk.
struct Issuance: Sendable {
  /// How many orders one call begins when those it finds are of no use.
  private static let mostOrders = 3

  let accounts: Accounts
  let journal: OrderJournal
  let openOrders: OpenOrders
  let responders: Responders
  let clock: WallClock
  let logger: Logger
  private let diskTrouble = StandingTrouble()

  typealias Report = @Sendable (ACMEClient.Issue.Reply) async throws -> Void

  /// Serves ``ACMEClient/Issue``.
  /// - Throws: ``ACMEClient/Failed``, `CancellationError`, or `Restarting` while the disk takes nothing: the caller asks again.
  func issue(_ call: ACMEClient.Issue.Parameters, report: @escaping Report) async throws -> ACMEClient.Issue.Reply {
    do {
      guard (1...256).contains(call.request.utf8.count) else {
        throw ACMEClient.Failed(Problem(.internalError, "A request id has 1 to 256 bytes; this one has \(call.request.utf8.count).", final: true))
      }
      let csr = try SigningRequest(call.csr)
      let reply = try await obtain(call, csr, report: report)
      count("issued")
      if diskTrouble.ends() { logger.notice("orders can be kept on disk again") }
      return reply
    } catch let error where Self.words(ofDisk: error) != nil {
      if diskTrouble.begins() { logger.log(.storingFailed, "nothing is ordered until it can be kept on disk: \(Self.words(ofDisk: error) ?? "")") }
      count("interrupted")
      throw Restarting()
    } catch let rejection as SigningRequestRejection {
      throw await failed(Problem(rejection), call)
    } catch let failure as OrderFailure {
      throw await failed(Problem(failure), call)
    } catch let error as ACMEError {
      throw await failed(Problem(error), call)
    } catch let failed as ACMEClient.Failed {
      throw await self.failed(failed.problem, call)
    } catch {
      count("interrupted")
      throw error
    }
  }

  /// What there is to say of an error, if it is one of this service's own disk.
  private static func words(ofDisk error: any Error) -> String? {
    switch error {
    case let error as ACMEError where error.code == .disk: "\(error)"
    case OrderFailure.request(let error) where error.code == .disk: "\(error)"
    case let error as ServiceRuntimeError where error.code == .file: "\(error)"
    default: nil
    }
  }

  private func obtain(_ call: ACMEClient.Issue.Parameters, _ csr: SigningRequest, report: @escaping Report) async throws -> ACMEClient.Issue.Reply {
    if let kept = await kept(call, csr) { return kept }
    try await report(.init(.ordering))
    return try await accounts.turns.read { try await obtainAnew(call, csr, report: report) }
  }

  private func obtainAnew(
    _ call: ACMEClient.Issue.Parameters, _ csr: SigningRequest, report: @escaping Report
  ) async throws -> ACMEClient.Issue.Reply {
    let session = try await session(with: await authority(for: call, csr))
    // RFC 8555, section 7.4. Before anything is ordered: an order is paid for.
    guard csr.keyPin != session.key.publicKey.pin else {
      throw ACMEClient.Failed(
        Problem(.newKeyRequired, "The key in this CSR is that of the connector's account at the CA; make another one.", final: true))
    }
    let isWanted = session.authority.directory == call.authority.directory
    do {
      return try await takeTurn(call, csr, with: session, report: report)
    } catch OrderFailure.request(let error) where error.document?.type == .accountDoesNotExist && isWanted {
      try await accounts.forget(session)
    } catch is BegunElsewhere {}
    return try await takeTurn(call, csr, with: try await self.session(with: call.authority), report: report)
  }

  /// An order of no use at a CA that the caller does not want any more: the next one is made where it does.
  private struct BegunElsewhere: Error {}

  /// The CA that has the request's order. It stays that one when the caller wants another now: the order is paid for, and may be about to be valid.
  private func authority(for call: ACMEClient.Issue.Parameters, _ csr: SigningRequest) async -> Authority {
    var authority = call.authority
    if let entry = await journal[call.request], entry.csrHash == csr.hash, entry.isOpen, !entry.directory.isDirectory(at: authority.directory) {
      logger.notice("order stays at the CA where it was begun", metadata: [.request: call.request, .directory: entry.directory])
      authority.directory = entry.directory.value
    }
    return authority
  }

  private func session(with authority: Authority) async throws -> AuthoritySession {
    do {
      return try await accounts.session(with: authority)
    } catch {
      await accounts.directoryMayBeOutdated(authority)
      throw error
    }
  }

  private func takeTurn(
    _ call: ACMEClient.Issue.Parameters, _ csr: SigningRequest, with session: AuthoritySession, report: @escaping Report
  ) async throws -> ACMEClient.Issue.Reply {
    let set = NameSet(account: session.account, names: csr.nameSet)
    return try await openOrders.inTurn(call.request, set, isOpen: { await journal[call.request]?.isOpen ?? false }) {
      if let kept = await kept(call, csr) { return kept }
      return try await order(call, csr, with: session, report: report)
    }
  }

  private func order(
    _ call: ACMEClient.Issue.Parameters, _ csr: SigningRequest, with session: AuthoritySession, report: @escaping Report
  ) async throws -> ACMEClient.Issue.Reply {
    for _ in 1...Self.mostOrders {
      let url = try await open(call, csr, with: session)
      let requests = OrderExchange(
        call.request, csr: csr, replacing: replaced(by: call), resuming: url, with: session, journal: journal, clock: clock, logger: logger)
      let runner = OrderRunner(requests: requests, responders: responders, device: call.device, clock: clock, logger: logger) { stage, name, order in
        try await report(.init(stage.step, name: name, order: order?.value, date: session.connection.time.now))
      }
      switch try await runner.run(resuming: url) {
      case .issued:
        guard var reply = await kept(call, csr) else { throw ACMEError(.storage, "order of request \(call.request)", "the chain was released") }
        reply.date = session.connection.time.now
        return reply
      case .beginAnew(let reason):
        logger.notice("another order is needed: \(reason)", metadata: [.request: call.request, .order: url])
        try await journal.abandon(call.request)
        guard session.authority.directory == call.authority.directory else { throw BegunElsewhere() }
      case .failed(let failure):
        if case .request(let error) = failure, error.mayBeMisdirected { await accounts.directoryMayBeOutdated(session.authority) }
        throw failure
      }
    }
    throw ACMEError(.badAnswer, session.connection.url.value, "the CA gives one useless order after another; try later")
  }

  /// The order to take up, if the request has one for this CSR and this account.
  private func open(_ call: ACMEClient.Issue.Parameters, _ csr: SigningRequest, with session: AuthoritySession) async throws -> ResourceURL? {
    let earlier = await journal[call.request]
    if let earlier, earlier.csrHash == csr.hash, earlier.isOpen {
      if earlier.account == session.account {
        logger.info("order taken up", metadata: [.request: call.request, .order: earlier.order])
        return earlier.order
      }
      guard earlier.directory == session.connection.url, session.authority.directory == call.authority.directory else {
        throw ACMEError(
          .badAuthority, earlier.directory.value,
          "an order of this request is open there, for an account that is not at hand; bring authority.accountKey back, or release the request")
      }
    }
    // Before anything is written down or ordered: an order counts at the CA.
    let obstacles = await responders.obstacles(to: csr.names, device: call.device)
    try Task.checkCancellation()
    guard obstacles.isEmpty else { throw ACMEClient.Failed(Problem(obstacles)) }
    try await journal.keep(
      JournalEntry(
        request: call.request, directory: session.connection.url, account: session.account, csrHash: csr.hash, names: csr.names,
        since: earlier?.since ?? clock.now(), newOrders: earlier?.newOrders ?? 0, stage: .none, refusedReplacement: earlier?.refusedReplacement))
    return nil
  }

  /// The certificate that is to be replaced. One that cannot be named is left out: the new one is worth more than what naming it brings.
  private func replaced(by call: ACMEClient.Issue.Parameters) -> CertificateIdentifier? {
    guard let pem = call.replaces else { return nil }
    guard let identifier = (try? CertificateChain(pem: pem))?.leaf.identifier else {
      logger.warning("the certificate to be replaced cannot be named to the CA", metadata: [.request: call.request])
      return nil
    }
    return identifier
  }

  /// The last reply, if the chain is on disk. It is the answer whichever CA the caller wants by now: it was waited for, and was paid for.
  private func kept(_ call: ACMEClient.Issue.Parameters, _ csr: SigningRequest) async -> ACMEClient.Issue.Reply? {
    guard let entry = await journal[call.request], entry.csrHash == csr.hash, case .issued(let order, let chain, let alternates) = entry.stage
    else { return nil }
    return .init(
      .issued, order: order.value, chain: chain, alternates: alternates, newOrders: entry.newOrders,
      replacesRefused: entry.refusedReplacement.map { _ in true })
  }

  private func failed(_ problem: Problem, _ call: ACMEClient.Issue.Parameters) async -> ACMEClient.Failed {
    var problem = problem
    // Whatever came of them, they count at the CA.
    problem.newOrders = await journal[call.request]?.newOrders
    count(problem.error.rawValue)
    let about: LogFields = [
      .request: call.request, .device: call.device, .name: problem.name, .directory: call.authority.directory, .problem: problem.error.rawValue,
      .acmeType: problem.acmeType,
    ]
    if problem.error == .accountProblem {
      logger.log(.accountProblem, "no certificate: \(problem.text)", metadata: about)
    } else {
      logger.notice("no certificate: \(problem.text)", metadata: about)
    }
    return ACMEClient.Failed(problem)
  }

  private func count(_ outcome: String) {
    Counter(label: "acme_orders", dimensions: [("outcome", outcome)]).increment()
  }
}

extension OrderStage {
  fileprivate var step: ACMEClient.Step {
    switch self {
    case .challenging: .challenging
    case .finalizing: .finalizing
    }
  }
}
