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
  /// How many names are put in place at once, of all orders: a responder takes only so many connections.
  static let namesAtATime = 64

  /// What an answer is put in place for: none of these waits for another.
  enum Purpose: Sendable {
    case order
    /// The doctor's look at a name, because somebody wants it, or because the name is about to be ordered.
    case probe, probeBeforeOrder
  }

  let folder: URL
  let clock: WallClock
  let logger: Logger
  private let places = Semaphore(namesAtATime)
  private let probePlaces = Semaphore(namesAtATime / 2)
  private let probePlacesBeforeOrders = Semaphore(namesAtATime / 2)
  private let patience = ResponderPatience()

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
    let ask: @Sendable () async -> [(responder: String, answer: ArraySlice<Responder.Obstacle>)] = {
      await self.ask { responder in
        let client = VarlinkClient(path: responder.path(percentEncoded: false))
        let limit = min(Self.foresight, patience.limit(for: Self.name(of: responder)))
        return (try? await client.call(Responder.Foresee.self, question, timeLimit: limit))?.obstacles.prefix(names.count) ?? []
      }
    }
    // An order asks once, before everything else.
    let answers = purpose == .order ? await ask() : (try? await places(for: purpose).withPermit(patience: Self.foresight, ask)) ?? []
    let wanted = Set(names)
    return answers.flatMap { responder, obstacles in
      obstacles.filter { wanted.contains($0.name) }.map { obstacle in
        // The gateway speaks of devices; any other one is to be found by its name.
        let reason = responder == Self.gateway ? obstacle.reason : "\(responder): \(obstacle.reason)"
        return Responder.Obstacle(name: obstacle.name, reason: reason.clipped)
      }
    }.sorted { $0.name < $1.name }
  }

  /// Asks all responders at once to answer for a name.
  /// - Parameter limit: how long they have, where that is less than a CA would be waited with; who is silent is not remembered for it.
  func publish(
    _ publication: Publication, as keyAuthorization: KeyAuthorization, order: String, device: String?, expires: Instant?,
    for purpose: Purpose = .order, within limit: Duration? = nil
  ) async throws -> PublicationVerdict {
    var parameters = Responder.Publish.Parameters(
      order: order, name: publication.name, token: publication.token, keyAuthorization: keyAuthorization, device: device,
      expires: min(expires ?? .latest, clock.now() + Self.longestLease))
    parameters.trace = (TraceContext.current ?? .make()).sampled(TraceCategory.current.contains(.challenge))
    let wish = parameters
    let end = limit.map { ContinuousClock.now + $0 }
    let answers = try await places(for: purpose).withPermit(patience: limit) {
      let rest = end.map { max(.milliseconds(1), $0 - .now) }
      return await ask { await answer(of: $0, to: wish, within: rest) }
    }
    try Task.checkCancellation()
    let verdict = PublicationVerdict(answers)
    remark(verdict, answers, about: [.name: publication.name, .token: publication.token, .order: order, .device: device])
    return verdict
  }

  /// Names who has the answer in place, and who should be looked after, whatever comes of the name.
  private func remark(_ verdict: PublicationVerdict, _ answers: [(responder: String, answer: PublicationVerdict.Answer)], about: LogFields) {
    switch verdict {
    case .inPlace(let holders):
      logger.info("challenge answer in place at \(holders.joined(separator: ", "))", metadata: about)
      for case (let responder, .failed(let reason, _)) in answers {
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
    let replies = try? await places(for: purpose).withPermit {
      await ask { responder in
        try? await VarlinkClient(path: responder.path(percentEncoded: false)).call(Responder.Withdraw.self, parameters, timeLimit: .seconds(2))
      }
    }
    let seen = (replies ?? []).compactMap(\.answer?.visits)
    guard !seen.isEmpty else { return nil }
    let visits = Visits(Array(seen.joined()))
    logger.info(
      "challenge was asked for at the connector by \(visits.summary)",
      metadata: [.name: publication.name, .token: publication.token, .order: order])
    return visits
  }

  private func places(for purpose: Purpose) -> Semaphore {
    switch purpose {
    case .order: places
    case .probe: probePlaces
    case .probeBeforeOrder: probePlacesBeforeOrders
    }
  }

  private func ask<Answer: Sendable>(_ question: @escaping @Sendable (URL) async -> Answer) async -> [(responder: String, answer: Answer)] {
    await withTaskGroup(of: (responder: String, answer: Answer).self) { tasks in
      for socket in sockets { tasks.addTask { (Self.name(of: socket), await question(socket)) } }
      return await tasks.reduce(into: []) { $0.append($1) }
    }
  }

  private func answer(
    of responder: URL, to parameters: Responder.Publish.Parameters, within haste: Duration?
  ) async -> PublicationVerdict.Answer {
    let (name, client) = (Self.name(of: responder), VarlinkClient(path: responder.path(percentEncoded: false)))
    let patient = patience.limit(for: name)
    let limit = haste.map { min($0, patient) } ?? patient
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
        if haste == nil { patience.wasSilent(name) }
        return .failed("no answer within \(limit.formatted)", required: false)
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
    components.attoseconds == 0 ? "\(components.seconds) s" : "\(Int(self / .milliseconds(1))) ms"
  }
}
