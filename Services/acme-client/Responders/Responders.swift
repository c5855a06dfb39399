import FoundationEssentials
import Logging
import PKI
import ResponderAPI
import Telemetry
import Varlink

/// Everyone who can answer a challenge: whoever has a socket in the responders' folder, in whatever language it is written.
struct Responders: Sendable {
  /// A lease that nobody withdraws ends by itself.
  static let longestLease = Duration.seconds(3600)
  /// More sockets than these are a mistake.
  private static let mostResponders = 16
  /// How often one that is being restarted is asked.
  private static let mostProcesses = 3
  /// How long they are asked what they foresee: all of them know it, or do not look.
  private static let foresight = Duration.seconds(2)
  /// The gateway, as the responder for devices that answer themselves.
  private static let gateway = "device-gateway"
  /// How long a withdrawal takes at most: the certificate waits for it.
  private static let withdrawal = Duration.seconds(2)
  /// How many names of all orders are put in place at a responder at once; of probes half as many. It takes only so many connections.
  private static let namesAtATime = 64

  /// What an answer is put in place for: none of these waits for another.
  enum Purpose: Sendable {
    case order
    /// The doctor's look at a name, because somebody wants it, or because the name is about to be ordered.
    case probe, probeBeforeOrder
  }

  let folder: URL
  let clock: WallClock
  let logger: Logger
  private let orders = ResponderLane(publicationsAtATime: namesAtATime, patience: ResponderPatience.ofOrders)
  private let probes = ResponderLane(publicationsAtATime: namesAtATime / 2, patience: ResponderPatience.ofProbes)
  private let probesBeforeOrders = ResponderLane(publicationsAtATime: namesAtATime / 2, patience: ResponderPatience.ofProbes)

  init(folder: URL, clock: WallClock, logger: Logger) {
    self.folder = folder
    self.clock = clock
    self.logger = logger
  }

  /// Asks all responders at once for which of these names an order would fail now. Who does not say has no obstacles: publishing will show.
  func obstacles(to names: [DNSName], device: String?, for purpose: Purpose = .order) async -> [Responder.Obstacle] {
    var parameters = Responder.Foresee.Parameters(names: names, device: device)
    parameters.trace = TraceContext.current
    let question = parameters
    let answers = await ask { responder in
      await brief(.foresee, at: responder, for: purpose, within: Self.foresight) { client, limit in
        try await client.call(Responder.Foresee.self, question, timeLimit: limit)
      }
    }
    let wanted = Set(names)
    return answers.flatMap { responder, answer in
      (answer?.obstacles ?? []).prefix(names.count).filter { wanted.contains($0.name) }.map { obstacle in
        // The gateway speaks of devices; any other one is to be found by its name.
        let reason = responder == Self.gateway ? obstacle.reason : "\(responder): \(obstacle.reason)"
        return Responder.Obstacle(name: obstacle.name, reason: reason.clipped)
      }
    }.sorted { $0.name < $1.name }
  }

  /// Asks all responders at once to answer for a name.
  /// - Returns: what came of it, and each that has not answered in time, with how long it had.
  func publish(
    _ publication: Publication, as keyAuthorization: KeyAuthorization, order: String, device: String?, expires: Instant?,
    for purpose: Purpose = .order
  ) async throws -> (verdict: PublicationVerdict, silent: [String]) {
    var parameters = Responder.Publish.Parameters(
      order: order, name: publication.name, token: publication.token, keyAuthorization: keyAuthorization, device: device,
      expires: min(expires ?? .latest, clock.now() + Self.longestLease))
    parameters.trace = (TraceContext.current ?? .make()).sampled(TraceCategory.current.contains(.challenge))
    let wish = parameters
    let answers = await ask { await answer(of: $0, to: wish, for: purpose) }
    try Task.checkCancellation()
    let verdict = PublicationVerdict(answers)
    remark(verdict, answers, about: [.name: publication.name, .token: publication.token, .order: order, .device: device])
    var silent: [String] = []
    for case (let responder, .silent(let reason)) in answers { silent.append("\(responder): \(reason)") }
    return (verdict, silent.sorted())
  }

  /// Names who has the answer in place, and who should be looked after, whatever comes of the name.
  private func remark(_ verdict: PublicationVerdict, _ answers: [(responder: String, answer: PublicationVerdict.Answer)], about: LogFields) {
    switch verdict {
    case .inPlace(let holders):
      logger.info("challenge answer in place at \(holders.joined(separator: ", "))", metadata: about)
      for (responder, answer) in answers {
        guard let reason = answer.failure else { continue }
        logger.warning("responder \(responder) has not put a challenge answer in place: \(reason)", metadata: about.merging([.reason: reason]))
      }
    case .refused(let reason):
      logger.log(.challengeNotInPlace, "challenge answer not in place: \(reason)", metadata: about.merging([.reason: reason]))
    }
  }

  /// Ends the lease of an order everywhere. Where that fails it ends by itself.
  /// - Returns: who has asked for the answer; nil when no responder sees that.
  func withdraw(_ publication: Publication, order: String, for purpose: Purpose = .order) async -> Visits? {
    let parameters = Responder.Withdraw.Parameters(order: order, token: publication.token)
    let replies = await ask { responder in
      await brief(.withdraw, at: responder, for: purpose, within: Self.withdrawal) { client, limit in
        try await client.call(Responder.Withdraw.self, parameters, timeLimit: limit)
      }
    }
    let seen = replies.compactMap(\.answer?.visits)
    guard !seen.isEmpty else { return nil }
    let visits = Visits(Array(seen.joined()))
    logger.info(
      "challenge was asked for at the connector by \(visits.summary)",
      metadata: [.name: publication.name, .token: publication.token, .order: order])
    return visits
  }

  private func lane(for purpose: Purpose) -> ResponderLane {
    switch purpose {
    case .order: orders
    case .probe: probes
    case .probeBeforeOrder: probesBeforeOrders
    }
  }

  private func ask<Answer: Sendable>(_ question: @escaping @Sendable (URL) async -> Answer) async -> [(responder: String, answer: Answer)] {
    await withTaskGroup(of: (responder: String, answer: Answer).self) { tasks in
      for socket in sockets { tasks.addTask { (Self.name(of: socket), await question(socket)) } }
      return await tasks.reduce(into: []) { $0.append($1) }
    }
  }

  /// What a call brings that can be done without: nil when there is no answer in time, with the wait for its turn.
  private func brief<Answer: Sendable>(
    _ method: ResponderLane.Method, at responder: URL, for purpose: Purpose, within longest: Duration,
    _ call: @escaping @Sendable (VarlinkClient, Duration) async throws -> Answer
  ) async -> Answer? {
    let (name, lane) = (Self.name(of: responder), lane(for: purpose))
    let limit = min(longest, lane.patience.limit(for: name))
    let deadline = ContinuousClock.now + limit
    return try? await lane.places(at: name, for: method).withPermit(within: limit) {
      try await call(VarlinkClient(path: responder.path(percentEncoded: false)), deadline - .now)
    }
  }

  /// An order waits for its turn; what the doctor looks at has its time as a whole, and of that enough for an answer.
  private func answer(
    of responder: URL, to parameters: Responder.Publish.Parameters, for purpose: Purpose
  ) async -> PublicationVerdict.Answer {
    let (name, lane) = (Self.name(of: responder), lane(for: purpose))
    let (full, isHasty) = (lane.patience.full, purpose != .order)
    let end = ContinuousClock.now + full
    let answer = try? await lane.places(at: name, for: .publish).withPermit(within: isHasty ? full - ResponderPatience.short : nil) {
      let limit = min(lane.patience.limit(for: name), isHasty ? end - .now : full)
      return await self.answer(of: responder, to: parameters, within: limit, patience: lane.patience)
    }
    return answer ?? .silent("busy with other names")
  }

  private func answer(
    of responder: URL, to parameters: Responder.Publish.Parameters, within limit: Duration, patience: ResponderPatience
  ) async -> PublicationVerdict.Answer {
    let (name, client) = (Self.name(of: responder), VarlinkClient(path: responder.path(percentEncoded: false)))
    let deadline = ContinuousClock.now + limit
    var failure = "it is being restarted again and again"
    for _ in 1...Self.mostProcesses {
      do {
        let reply = try await client.call(Responder.Publish.self, parameters, timeLimit: deadline - .now)
        patience.answered(name, required: reply.required)
        return reply.outcome == .inPlace ? .inPlace : .notMine
      } catch let fault as Responder.NotPublished {
        patience.answered(name, required: fault.required)
        return .failed(fault.reason.clipped, required: fault.required)
      } catch is Restarting {
        // The next process is asked, also when this one died: it may be the one that the CA cannot do without.
        continue
      } catch let error as VarlinkError where error.code == .closed {
        failure = error.shown
      } catch let error as VarlinkError where error.code == .timedOut {
        // Who had to wait for others first is not called silent for it.
        if limit > patience.full - ResponderPatience.short { patience.wasSilent(name) }
        return .silent("no answer within \(limit.formatted)")
      } catch {
        return .failed(error.shown, required: false)
      }
    }
    return .failed(failure, required: false)
  }

  private static func name(of responder: URL) -> String { responder.deletingPathExtension().lastPathComponent }

  private var sockets: [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
    let found = names.filter { $0.hasSuffix(".sock") }.sorted()
    if found.count > Self.mostResponders {
      let left = found.dropFirst(Self.mostResponders).joined(separator: ", ")
      logger.log(.respondersLeftOut, "too many responders, these are not asked: \(left)", metadata: [.limit: Self.mostResponders])
    }
    return found.prefix(Self.mostResponders).map { folder.appending(component: $0) }
  }
}

extension String {
  /// What a responder says, as much of it as is passed on.
  fileprivate var clipped: String { String(prefix(400)) }
}

extension Error {
  fileprivate var shown: String { "\(self)".clipped }
}

extension Duration {
  /// As a person writes it: `10 s`, `500 ms`.
  fileprivate var formatted: String {
    self < .seconds(1) ? "\(Int(self / .milliseconds(1))) ms" : "\(Int((self / .seconds(1)).rounded())) s"
  }
}
