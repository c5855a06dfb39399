import ACMEClientAPI
import Logging
import PKI
import ResponderAPI
import ServiceRuntime
import Telemetry

/// Finds out whether the CA would find the answers to HTTP-01 challenges, without asking it to: looks at names as it does, at all of their addresses.
///
/// A name takes half a second until its turn has come at the latest, three for the DNS and the responders, and four and a half for the walk: it is told
/// within ten seconds of the call, whoever else calls.
struct Doctor: Sendable {
  /// How many names are looked at at a time: before orders, and for those who ask, of whom more are turned away.
  private static let namesAtATime = 256
  /// How long a probe is answered, if nobody withdraws it.
  private static let lease = Duration.seconds(60)
  /// How long the CA has to show its directory.
  private static let reading = Duration.seconds(3)
  /// CAs date certificates back an hour for clocks that are behind.
  private static let clockTolerance = Duration.seconds(1_800)

  let responders: Responders
  let accounts: Accounts
  let directories: Directories
  let clock: WallClock
  let logger: Logger
  private let placesBeforeOrders = Semaphore(namesAtATime)
  private let asked = Headcount(atMost: namesAtATime)

  init(responders: Responders, accounts: Accounts, directories: Directories, clock: WallClock, logger: Logger) {
    self.responders = responders
    self.accounts = accounts
    self.directories = directories
    self.clock = clock
    self.logger = logger
  }

  /// Serves ``ACMEClient/Diagnose``.
  func diagnose(
    _ call: ACMEClient.Diagnose.Parameters, tell: @Sendable (ACMEClient.Diagnose.Reply) async throws -> Void
  ) async throws -> ACMEClient.Diagnose.Reply {
    let look = try Look(call)
    guard call.beforeOrder || asked.enter(call.candidates.count) else {
      throw ACMEClient.Failed(
        Problem(.busy, "The doctor looks at \(asked.most) names at a time, and is busy with those of others; ask again in ten seconds."))
    }
    let purpose = call.beforeOrder ? Responders.Purpose.probeBeforeOrder : .probe
    // Read beside the first look-ups: what it says is needed after them.
    let authority = Task { await withLimit(Self.reading) { await self.read(call.authority) } ?? .unread(call.authority, "no answer in time") }
    let obstacles = Task { await self.foresee(call.candidates, for: purpose) }
    defer {
      authority.cancel()
      obstacles.cancel()
    }
    return try await withThrowingTaskGroup(of: ACMEClient.Diagnose.Reply.self) { tasks in
      for candidate in call.candidates {
        tasks.addTask {
          let examine: @Sendable () async throws -> [Finding] = {
            try await self.examine(candidate, look, for: purpose, authority: authority, obstacles: obstacles)
          }
          let findings = call.beforeOrder ? try await placesBeforeOrders.withPermit(examine) : try await leaving(examine)
          return .init(name: candidate.name, findings: findings.sorted { $0.severity > $1.severity })
        }
      }
      var last: ACMEClient.Diagnose.Reply?
      for try await reply in tasks {
        logger.info(
          "name looked at: \(reply.findings.map { "\($0.code) (\($0.severity))" }.joined(separator: ", "))", metadata: [.name: reply.name])
        if let last { try await tell(last) }
        last = reply
      }
      guard let last else { throw CancellationError() }
      return last
    }
  }

  /// Looks at a name of those who were let in.
  private func leaving(_ look: @Sendable () async throws -> [Finding]) async throws -> [Finding] {
    defer { asked.leave() }
    return try await look()
  }

  /// For which names there is no use in an order now, by what the responders foresee: they are asked once for each device.
  private func foresee(_ candidates: [ACMEClient.Candidate], for purpose: Responders.Purpose) async -> [DNSName: String] {
    await withTaskGroup(of: [Responder.Obstacle].self) { tasks in
      for (device, names) in Dictionary(grouping: candidates, by: \.device).mapValues({ $0.map(\.name) }) {
        tasks.addTask { await responders.obstacles(to: names, device: device, for: purpose) }
      }
      return await tasks.reduce(into: [:]) { reasons, obstacles in
        for obstacle in obstacles where reasons[obstacle.name] == nil { reasons[obstacle.name] = obstacle.reason }
      }
    }
  }

  private func examine(
    _ candidate: ACMEClient.Candidate, _ look: Look, for purpose: Responders.Purpose, authority: Task<AuthorityFacts, Never>,
    obstacles: Task<[DNSName: String], Never>
  ) async throws -> [Finding] {
    let name = candidate.name
    let probe = Probe(of: name)
    async let publication = publish(probe, for: candidate, purpose)
    async let resolution = look.resolve(name)

    let (result, silent) = await publication
    // Nobody waits for the end of it, and whoever answers the probe need not wait for that of its lease.
    defer { Task { _ = await responders.withdraw(probe.publication, order: probe.order, for: purpose) } }
    let dns = try await resolution
    var judgement = NameJudgement(name, ipv6: dns.ipv6, ipv4: dns.ipv4, own: dns.own, permission: look.walker.permission)
    if case .success(.inPlace) = result {
      let view = AddressJudgement.View(isSplit: judgement.isSplit, isOfOwnResolver: look.isOfOwnResolver)
      judgement.add(await visit(judgement.addresses, probe, look.walker, from: view), name: name)
    }
    let obstacle = await obstacles.value[name]
    try Task.checkCancellation()
    var findings: [Finding] = []
    if let obstacle {
      findings.append(Finding(.proxyNotConnected, .wrong, name: name, text: obstacle))
    } else if case .refused(let reason) = try result.get() {
      findings.append(Finding(.responderFailed, .wrong, name: name, text: "The answer for \(name) cannot be put in place: \(reason)"))
    }
    let facts = await authority.value
    if let (code, text) = facts.trouble { findings.append(Finding(code, .doubtful, name: name, text: text)) }
    if let finding = CAAJudgement(name, dns.authorizations, issuer: facts.issuer).finding { findings.append(finding) }
    findings += judgement.findings
    guard !silent.isEmpty else { return findings }
    // An order waits longer for responders, and who was silent here may answer there.
    let slow = Finding(
      .responderFailed, .doubtful, name: name,
      text: "Not all who may answer for \(name) have put the answer in place (\(silent.joined(separator: "; "))); an order waits for "
        + "\(ResponderPatience.ofOrders.components.seconds) s.")
    return findings.map { $0.address != nil || $0.code == .responderFailed ? $0.doubted : $0 } + [slow]
  }

  /// Puts the probe's answer in place.
  /// - Returns: what came of it, and who has not spoken in time.
  private func publish(
    _ probe: Probe, for candidate: ACMEClient.Candidate, _ purpose: Responders.Purpose
  ) async -> (result: Result<PublicationVerdict, any Error>, silent: [String]) {
    do {
      let (verdict, silent) = try await responders.publish(
        probe.publication, as: probe.keyAuthorization, order: probe.order, device: candidate.device, expires: clock.now() + Self.lease,
        for: purpose)
      return (.success(verdict), silent)
    } catch {
      return (.failure(error), [])
    }
  }

  private func visit(
    _ addresses: [IPAddress], _ probe: Probe, _ walker: ProbeWalker, from view: AddressJudgement.View
  ) async -> [(address: IPAddress, judgement: AddressJudgement)] {
    await withTaskGroup(of: (Int, AddressJudgement).self) { tasks in
      for (index, address) in addresses.enumerated() {
        tasks.addTask {
          let walk = await walker.walk(from: probe.url, at: address, expecting: probe.keyAuthorization)
          var view = view
          view.source = await ProbeRequest.source(towards: address)
          return (index, AddressJudgement(probe.publication.name, at: address, walk, expecting: probe.keyAuthorization, from: view))
        }
      }
      return await tasks.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map { (addresses[$0.0], $0.1) }
    }
  }

  // MARK: - The CA

  /// What is known of the CA without asking it for anything.
  private struct AuthorityFacts: Sendable {
    var issuer: CAAJudgement.Issuer?
    var trouble: (code: Finding.Code, text: String)?

    static func unread(_ authority: Authority?, _ reason: String) -> AuthorityFacts {
      AuthorityFacts(
        trouble: (
          .authorityUnread, "The CA's directory \(authority?.directory.shown ?? "") cannot be read (\(reason)); orders fail as long as it is so."
        )
      )
    }
  }

  private func read(_ authority: Authority?) async -> AuthorityFacts {
    guard let authority else { return AuthorityFacts() }
    do {
      let (connection, date) = try await directories.describe(authority.directory, trustRoots: authority.trustRoots)
      var facts = AuthorityFacts(
        issuer: .init(
          identities: connection.directory.meta?.caaIdentities ?? [],
          account: try await accounts.known(uri: authority.accountKey, directory: connection.url)?.value))
      let now = clock.now()
      if let date, max(date - now, now - date) > Self.clockTolerance {
        facts.trouble = (
          .clockWrong,
          "This machine's clock shows \(now), and that of \(connection.url) \(date): leases and certificates end at the wrong time; set it."
        )
      }
      return facts
    } catch {
      return .unread(authority, "\(error)")
    }
  }
}

extension Finding {
  /// The same, and nothing is certain.
  fileprivate var doubted: Finding { Finding(code, min(severity, .doubtful), name: name, address: address, text: text) }
}
