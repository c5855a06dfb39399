import ACMEClientAPI
import Logging
import Metrics
import PKI
import ServiceRuntime
import Telemetry

/// Does what the ``OrderMachine`` wants, as much of it at once as is bearable, and tells it what came of it. Cancelled at any point it leaves on
/// disk what the next run needs.
struct OrderRunner: Sendable {
  /// How many requests of one order are under way at once: enough to keep two processors busy, few enough for a CA's limits per address.
  static let requestsInFlight = 16
  /// How many names of one order are put in place at once: devices that hang leave room at the responders for those of others.
  private static let publicationsInFlight = 8
  /// How long it may take to find and withdraw what an earlier run has left in place: the certificate does not wait for more.
  private static let remainsLimit = Duration.seconds(5)

  let requests: OrderExchange
  let responders: Responders
  let device: String?
  let clock: WallClock
  let logger: Logger
  /// Told of each stage, and of each name that is seen to be validated.
  let report: @Sendable (OrderStage, DNSName?, ResourceURL?) async throws -> Void

  private enum Outcome: Sendable {
    case answered(OrderEvent)
    /// An answer to a challenge is in place, or is not.
    case spoken(OrderEvent)
    /// The pause before a request is over.
    case due(OrderRequest)
    case waited
  }

  /// Works on an order until it ends.
  /// - Throws: `CancellationError`, or what kept a report from being sent.
  func run(resuming url: ResourceURL?) async throws -> OrderEnding {
    try await withThrowingTaskGroup(of: (DNSName, Visits?)?.self) { withdrawals in
      let ending = try await withThrowingTaskGroup(of: Outcome.self) { tasks in
        var (machine, actions) = OrderMachine.begin(resuming: url, now: clock.now())
        var waiting: [OrderRequest] = []
        var underWay = 0
        let places = Semaphore(Self.publicationsInFlight)
        while true {
          for action in actions {
            switch action {
            case .send(let request, .zero): waiting.append(request)
            case .send(let request, let delay): tasks.addTask { try await pause(delay, then: .due(request)) }
            case .publish(let publication, let authorization, let expires):
              tasks.addTask {
                .spoken(try await places.withPermit { try await publish(publication, authorization: authorization, expires: expires) })
              }
            case .withdraw(let publication): withdrawals.addTask { (publication.name, await withdraw(publication)) }
            case .withdrawRemains(let authorizations):
              withdrawals.addTask {
                await withdrawRemains(of: authorizations)
                return nil
              }
            case .waitForStragglers(let limit): tasks.addTask { try await pause(limit, then: .waited) }
            case .validated(let name, let duration): try await validated(name, after: duration)
            case .enter(let stage): try await report(stage, nil, await requests.order)
            case .end(let ending):
              tasks.cancelAll()
              return ending
            }
          }
          while underWay < Self.requestsInFlight, !waiting.isEmpty {
            let request = waiting.removeFirst()
            underWay += 1
            tasks.addTask { .answered(try await requests.send(request)) }
          }
          switch try await tasks.next() {
          case .answered(let event):
            underWay -= 1
            actions = machine.handle(event, now: clock.now())
          case .spoken(let event): actions = machine.handle(event, now: clock.now())
          case .due(let request): actions = [.send(request, after: .zero)]
          case .waited: actions = machine.handle(.waitedForStragglers, now: clock.now())
          case nil: throw CancellationError()
          }
        }
      }
      return ending.seen(by: try await withdrawals.compactMap(\.self).reduce(into: [:]) { $0[$1.0] = $1.1 })
    }
  }

  private func pause(_ duration: Duration, then outcome: Outcome) async throws -> Outcome {
    try await Task.sleep(for: duration)
    return outcome
  }

  private func publish(_ publication: Publication, authorization: ResourceURL, expires: Instant?) async throws -> OrderEvent {
    guard let order = await requests.order else { throw CancellationError() }
    let (verdict, _) = try await responders.publish(
      publication, as: KeyAuthorization(token: publication.token, thumbprint: requests.session.thumbprint), order: order.value, device: device,
      expires: expires)
    switch verdict {
    case .inPlace(let responders):
      RehearsedDeath.at("acme-client.published")
      return .published(authorization: authorization, by: responders)
    case .refused(let reason):
      return .notPublished(authorization: authorization, reason: reason)
    }
  }

  private func withdraw(_ publication: Publication) async -> Visits? {
    guard let order = await requests.order else { return nil }
    return await responders.withdraw(publication, order: order.value)
  }

  /// Only the authorizations tell what may be in place. One that cannot be read in time is left to the end of its lease.
  private func withdrawRemains(of authorizations: [ResourceURL]) async {
    await withTaskGroup(of: Bool.self) { tasks in
      tasks.addTask {
        try? await Task.sleep(for: Self.remainsLimit)
        return false
      }
      var left = authorizations[...]
      for _ in 1...Self.requestsInFlight { if let url = left.popFirst() { tasks.addTask { await withdrawRemains(of: url) } } }
      for _ in authorizations {
        guard await tasks.next() == true else { break }
        if let url = left.popFirst() { tasks.addTask { await withdrawRemains(of: url) } }
      }
      tasks.cancelAll()
    }
  }

  /// - Returns: true, for it is done with.
  private func withdrawRemains(of authorization: ResourceURL) async -> Bool {
    if case .authorizationRead(_, let answer, _) = try? await requests.send(.readAuthorization(authorization)), let publication = answer.publication {
      _ = await withdraw(publication)
    }
    return true
  }

  private func validated(_ name: DNSName, after duration: Duration) async throws {
    RehearsedDeath.at("acme-client.validated")
    Timer(label: "acme_validation_duration").record(duration: duration)
    let order = await requests.order
    logger.info("name validated", metadata: [.name: name, .order: order, .device: device])
    try await report(.challenging, name, order)
  }
}

extension OrderEnding {
  /// The same, with who had asked for the answers of the names that could not be proved.
  fileprivate func seen(by visits: [DNSName: Visits]) -> OrderEnding {
    guard case .failed(.names(let failures)) = self else { return self }
    return .failed(
      .names(
        failures.map { failure in
          var failure = failure
          failure.visits = visits[failure.name]
          return failure
        }))
  }
}
