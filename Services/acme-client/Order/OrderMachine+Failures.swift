import PKI

// What becomes of a request that fails.
extension OrderMachine {
  /// Only failures in a row count.
  mutating func forgetAttempts(answeredBy event: OrderEvent) {
    switch event {
    case .read: url.map { attempts[.read($0)] = nil }
    case .authorizationRead(let url, _, _): attempts[.readAuthorization(url)] = nil
    default: break
    }
  }

  mutating func failed(_ request: OrderRequest, _ error: ACMEError, now: Instant) -> [OrderAction] {
    let count = attempts[request, default: 0] + 1
    attempts[request] = count
    // Half a second, then twice as long each time; the CA's own wish counts if it is longer.
    let delay = max(.milliseconds(250 << min(count, 8)), error.retryAfter ?? .zero)
    let mayTryAgain = error.isTransient && count < Self.mostAttempts
    switch request {
    case .readAuthorization where phase != .authorizing, .postChallenge where phase != .authorizing:
      return []
    case .read where phase == .beginning && isResumed && error.meansGone:
      return end(.beginAnew("the CA does not know the order any more"))
    case .create:
      // Not repeated here: the CA may have made the order (the intent is on disk), or wants a long wait.
      return end(.failed(.request(error)))
    case .postChallenge(_, let authorization) where error.isTransient || error.document?.type == .malformed || error.status == 409:
      // It may have arrived, or the CA may be at it already: the authorization tells.
      guard count < Self.mostAttempts else { return fail(.request(error)) }
      return send(.readAuthorization(authorization), after: delay, otherwise: .request(error), now: now)
    case .finalize where mayTryAgain || (finalizations > 1 && count < Self.mostAttempts):
      // The CSR may have arrived, then a second one is refused: the order tells.
      guard let url else { return end(.failed(.request(error))) }
      return send(.read(url), after: delay, otherwise: .request(error), now: now)
    case .download where error.code == .wrongCertificate && isResumed:
      return end(.beginAnew(error.cause))
    default:
      return mayTryAgain ? send(request, after: delay, otherwise: .request(error), now: now) : fail(.request(error))
    }
  }
}
