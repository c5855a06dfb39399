import ACMEClientAPI
import FoundationEssentials
import Logging
import PKI
import ServiceRuntime
import Telemetry

/// The requests of one order, and what must be on disk before and after each.
actor OrderExchange {
  /// How many of a CA's alternate chains are fetched.
  private static let mostAlternates = 5
  /// How long all of them may take: none is worth a delay of the certificate.
  private static let alternatesLimit = Duration.seconds(5)
  private static let chainType = "application/pem-certificate-chain"

  nonisolated let session: AuthoritySession
  /// The order's URL, once there is one.
  private(set) var order: ResourceURL?
  /// What the journal said before newOrder left.
  private var stageBeforeIntent: JournalEntry.Stage?
  private let request: String
  private let csr: SigningRequest
  /// The certificate that the new one is to take the place of.
  private let replaced: CertificateIdentifier?
  private let journal: OrderJournal
  private let clock: WallClock
  private let logger: Logger

  init(
    _ request: String, csr: SigningRequest, replacing replaced: CertificateIdentifier?, resuming order: ResourceURL?,
    with session: AuthoritySession, journal: OrderJournal, clock: WallClock, logger: Logger
  ) {
    self.request = request
    self.csr = csr
    self.replaced = replaced
    self.order = order
    self.session = session
    self.journal = journal
    self.clock = clock
    self.logger = logger
  }

  /// Sends a request; a refusal is an event too.
  /// - Throws: `CancellationError`.
  func send(_ request: OrderRequest) async throws -> OrderEvent {
    do {
      switch request {
      case .create: return try await create()
      case .read(let url): return try await read(url)
      case .readAuthorization(let url): return try await readAuthorization(url)
      case .postChallenge(let url, let authorization): return try await postChallenge(url, of: authorization)
      case .finalize(let url): return try await finalize(url)
      case .download(let url): return try await download(url)
      }
    } catch let error as ACMEError {
      if case .finalize = request, error.document?.type == .orderNotReady { return .notReady(retryAfter: error.retryAfter) }
      return .failed(request, error)
    }
  }

  private func create() async throws -> OrderEvent {
    if let (url, found) = try await lostOrder() {
      try await journal.ordered(request, url)
      order = url
      return .created(url, found, retryAfter: nil)
    }
    let newOrder = session.connection.directory.newOrder
    let response: Response
    if let replacing = await replacement() {
      do {
        response = try await sendNewOrder(replacing: replacing)
      } catch let error as ACMEError where error.mayBeAboutReplacement {
        // Once, and on disk before the other newOrder: the next process does not try it again.
        if let before = stageBeforeIntent { try await journal.refused(request, replacing: replacing, before: before) }
        logger.notice("the CA refuses the replacement, the order is made without it", error: error, metadata: [.request: request])
        response = try await sendNewOrder(replacing: nil)
      }
    } else {
      response = try await sendNewOrder(replacing: nil)
    }
    RehearsedDeath.at("acme-client.newOrderAnswered")
    guard let url = response.location(of: newOrder) else {
      throw ACMEError(.badAnswer, newOrder.value, "the CA gave no URL of the order (RFC 8555, section 7.4)")
    }
    try await journal.ordered(request, url)
    RehearsedDeath.at("acme-client.orderStored")
    order = url
    let made: Order
    if let answered = try? response.decode(Order.self, from: newOrder) {
      made = answered
    } else {
      // The order is there, whatever became of the answer.
      made = try await session.get(.order, url).decode(Order.self, from: url)
    }
    guard made.names == csr.nameSet, made.identifiers.count == csr.nameSet.count else {
      try await journal.abandon(request)
      throw ACMEError(.badAnswer, url.value, "the CA's order is for other names than were asked for (RFC 8555, section 7.4)")
    }
    logger.info("order made", metadata: [.request: request, .order: url, .count: csr.names.count, .caRequest: response.requestID])
    return .created(url, made, retryAfter: response.retryAfter(now: clock.now()))
  }

  /// The certificate to be replaced, where the CA knows of such a thing (RFC 9773, section 5) and has not refused it before.
  private func replacement() async -> CertificateIdentifier? {
    guard let replaced, session.connection.directory.renewalInfo != nil, await journal[request]?.refusedReplacement != replaced else { return nil }
    return replaced
  }

  private func sendNewOrder(replacing replaced: CertificateIdentifier?) async throws -> Response {
    let payload = NewOrder(identifiers: csr.names.map { Identifier($0) }, profile: session.authority.profile, replaces: replaced)
    do {
      return try await session.post(.newOrder, session.connection.directory.newOrder, .encoding(payload)) { try await self.intend() }
    } catch let error as ACMEError where error.meansNothingDone || error.isUnsent {
      if let before = stageBeforeIntent, replaced == nil || !error.mayBeAboutReplacement { try await journal.refused(request, before: before) }
      throw error
    }
  }

  private func intend() async throws {
    stageBeforeIntent = await journal[request]?.stage
    try await journal.intend(request)
    RehearsedDeath.at("acme-client.intentStored")
  }

  /// The order that an earlier newOrder has made, if its answer was lost and it can be found.
  private func lostOrder() async throws -> (ResourceURL, Order)? {
    guard await journal[request]?.stage == .intended else { return nil }
    let known = Set(await journal.all.compactMap(\.order))
    let search = OrderSearch(session: session, clock: clock, logger: logger)
    guard let (url, found) = try await search.order(for: csr.nameSet, notAmong: known) else {
      logger.log(.orderRepeated, "an order may have been made before and is not found; another one is made", metadata: [.request: request])
      return nil
    }
    logger.info("order of an interrupted request found at the CA", metadata: [.request: request, .order: url])
    return (url, found)
  }

  private func read(_ url: ResourceURL) async throws -> OrderEvent {
    let response = try await session.get(.order, url)
    return .read(try response.decode(Order.self, from: url), retryAfter: response.retryAfter(now: clock.now()))
  }

  private func readAuthorization(_ url: ResourceURL) async throws -> OrderEvent {
    let response = try await session.get(.authorization, url)
    let authorization = try response.decode(Authorization.self, from: url)
    RehearsedDeath.at("acme-client.authorizationsRead")
    return .authorizationRead(url, authorization, retryAfter: response.retryAfter(now: clock.now()))
  }

  private func postChallenge(_ url: ResourceURL, of authorization: ResourceURL) async throws -> OrderEvent {
    let response = try await session.post(.challenge, url, .emptyObject)
    RehearsedDeath.at("acme-client.challengesPosted")
    let challenge = try response.decode(Challenge.self, from: url)
    return .challengePosted(authorization: authorization, challenge, retryAfter: response.retryAfter(now: clock.now()))
  }

  private func finalize(_ url: ResourceURL) async throws -> OrderEvent {
    let response = try await session.post(.finalize, url, .encoding(Finalization(csr: Base64URL.encode(csr.der))))
    RehearsedDeath.at("acme-client.finalized")
    return .finalized(try response.decode(Order.self, from: url), retryAfter: response.retryAfter(now: clock.now()))
  }

  private func download(_ url: ResourceURL) async throws -> OrderEvent {
    let response = try await session.get(.certificate, url, accept: Self.chainType)
    let chain = try IssuedChain.check(response, from: url, for: csr, now: clock.now())
    let unasked = Set(chain.leaf.names).subtracting(csr.nameSet)
    if !unasked.isEmpty {
      logger.warning(
        "the certificate has names that nobody asked for: \(unasked.sorted().prefix(5).map(\.value).joined(separator: ", "))",
        metadata: [.request: request, .serial: chain.leaf.serial])
    }
    let alternates = await alternates(Array(response.links("alternate", of: url).prefix(Self.mostAlternates)))
    let offers = [chain] + alternates.filter { $0.leaf == chain.leaf }
    RehearsedDeath.at("acme-client.chainDownloaded")
    let preferred = session.authority.preferredChain
    if let preferred, !offers.contains(where: { $0.endsIn(rootCommonName: preferred) }) {
      logger.log(
        .preferredChainMissing, "the CA offers no chain to the preferred root \(preferred); its default is taken",
        metadata: [.request: request, .directory: session.connection.url])
    }
    guard let order else { throw ACMEError(.badAnswer, url.value, "a certificate without an order") }
    try await journal.issued(request, order: order, IssuedChain(offers, preferred: preferred))
    RehearsedDeath.at("acme-client.chainStored")
    logger.info("certificate issued", metadata: [.request: request, .order: order, .serial: chain.leaf.serial, .chains: offers.count])
    return .chainStored
  }

  /// Those of the alternate chains that come in time and are of use, in the CA's order.
  private func alternates(_ urls: [ResourceURL]) async -> [CertificateChain] {
    await withTaskGroup(of: (index: Int, chain: CertificateChain?)?.self) { tasks in
      for (index, url) in urls.enumerated() { tasks.addTask { (index, await self.alternate(url)) } }
      tasks.addTask {
        try? await Task.sleep(for: Self.alternatesLimit)
        return nil
      }
      var found = [CertificateChain?](repeating: nil, count: urls.count)
      for _ in urls {
        guard case let answer?? = await tasks.next() else { break }
        found[answer.index] = answer.chain
      }
      tasks.cancelAll()
      return found.compactMap(\.self)
    }
  }

  private func alternate(_ url: ResourceURL) async -> CertificateChain? {
    do {
      return try await IssuedChain.check(session.get(.certificate, url, accept: Self.chainType), from: url, for: csr, now: clock.now())
    } catch {
      logger.warning("an alternate chain is left out", error: error, metadata: [.request: request, .url: url])
      return nil
    }
  }
}
