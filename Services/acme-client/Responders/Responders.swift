import FoundationEssentials
import Logging
import PKI
import ResponderAPI
import Telemetry
import Varlink

/// Everyone who can answer a challenge: whoever has a socket in the responders' folder, in whatever language it is written.
struct Responders: Sendable {
  /// How long all of them have to put an answer in place.
  static let timeLimit = Duration.seconds(10)
  /// A lease that nobody withdraws ends by itself.
  static let longestLease = Duration.seconds(3600)
  /// More sockets than these are a mistake.
  private static let mostResponders = 16
  /// How many names are put in place at once, of all orders: a responder takes only so many connections.
  static let namesAtATime = 64

  let folder: URL
  let clock: WallClock
  let logger: Logger
  private let places = Places(namesAtATime)

  init(folder: URL, clock: WallClock, logger: Logger) {
    self.folder = folder
    self.clock = clock
    self.logger = logger
  }

  /// Asks all responders at once to answer for a name.
  func publish(
    _ publication: Publication, thumbprint: String, order: ResourceURL, device: String?, expires: Instant?
  ) async throws -> PublicationVerdict {
    var parameters = Responder.Publish.Parameters(
      order: order.value, name: publication.name, token: publication.token,
      keyAuthorization: KeyAuthorization(token: publication.token, thumbprint: thumbprint), device: device,
      expires: min(expires ?? .latest, clock.now() + Self.longestLease))
    parameters.trace = (TraceContext.current ?? .make()).sampled(TraceCategory.current.contains(.challenge))
    let wish = parameters
    let verdict = try await places.take { await PublicationVerdict(ask { await answer(of: $0, to: wish) }) }
    try Task.checkCancellation()
    var about: LogFields = [.name: publication.name, .token: publication.token, .order: order, .device: device]
    switch verdict {
    case .inPlace:
      logger.info("challenge answer in place", metadata: about)
    case .refused(let reason):
      about[.reason] = reason
      logger.log(.challengeNotInPlace, "challenge answer not in place: \(reason)", metadata: about)
    }
    return verdict
  }

  /// Ends the lease of an order everywhere. Where that fails it ends by itself.
  /// - Returns: who has asked for the answer; nil when no responder sees that.
  func withdraw(_ publication: Publication, order: ResourceURL) async -> Visits? {
    let parameters = Responder.Withdraw.Parameters(order: order.value, token: publication.token)
    let replies = try? await places.take {
      await ask { responder in
        try? await VarlinkClient(path: responder.path(percentEncoded: false)).call(Responder.Withdraw.self, parameters, timeLimit: .seconds(2))
      }
    }
    let seen = (replies ?? []).compactMap(\.answer?.visits)
    guard !seen.isEmpty else { return nil }
    let visits = Visits(Array(seen.joined()))
    logger.info("challenge was asked for by \(visits.summary)", metadata: [.name: publication.name, .token: publication.token, .order: order])
    return visits
  }

  private func ask<Answer: Sendable>(_ question: @escaping @Sendable (URL) async -> Answer) async -> [(responder: String, answer: Answer)] {
    await withTaskGroup(of: (responder: String, answer: Answer).self) { tasks in
      for socket in sockets { tasks.addTask { (socket.deletingPathExtension().lastPathComponent, await question(socket)) } }
      return await tasks.reduce(into: []) { $0.append($1) }
    }
  }

  private func answer(of responder: URL, to parameters: Responder.Publish.Parameters) async -> PublicationVerdict.Answer {
    do {
      let client = VarlinkClient(path: responder.path(percentEncoded: false))
      let reply = try await client.call(Responder.Publish.self, parameters, timeLimit: Self.timeLimit)
      return reply.outcome == .inPlace ? .inPlace : .notMine
    } catch let fault as Responder.NotPublished {
      return .failed(fault.reason, required: fault.required)
    } catch {
      return .failed("\(error)", required: false)
    }
  }

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
