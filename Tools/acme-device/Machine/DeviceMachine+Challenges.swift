import AppWebsocket
import PKI

// How a device answers challenges for the connector.
extension DeviceMachine {
  /// The connector wants an answer served. It is confirmed when it is.
  mutating func add(_ wish: ChallengeAdded, _ correlation: Correlation, _ now: Instant) -> [DeviceAction] {
    func refuse(_ error: ErrorToken, _ text: String) -> [DeviceAction] {
      [.send(ChallengeAddedResult(token: wish.token, error: error, errorText: text).text(correlation: correlation))]
    }
    guard wishes.challenges == .push else { return refuse(.notAllowed, "This device does not serve challenges that it is told.") }
    guard wish.keyAuth.token == wish.token else { return refuse(.badMessage, "The key authorization is that of another token.") }
    var challenge = ServedChallenges.Challenge(keyAuthorization: wish.keyAuth, end: now + ServedChallenges.lifetime, correlation: correlation)
    let known = challenges.live[wish.token]
    guard known != nil || challenges.live.count < ServedChallenges.most else {
      return refuse(.busy, "This device serves \(ServedChallenges.most) challenges already.")
    }
    challenge.isInPlace = known?.isInPlace == true && known?.keyAuthorization == wish.keyAuth
    challenges.live[wish.token] = challenge
    let timer: [DeviceAction] = known == nil ? [.start(.challenge(wish.token), after: ServedChallenges.lifetime)] : []
    return timer + [.challenge(.serve(wish.keyAuth, token: wish.token))]
  }

  mutating func remove(_ token: ChallengeToken) -> [DeviceAction] {
    challenges.live.removeValue(forKey: token) == nil ? [] : [.challenge(.stopServing(token))]
  }

  /// An answer is in place, or could not be put there.
  mutating func served(_ token: ChallengeToken, failure: String?) -> [DeviceAction] {
    // It may have been removed meanwhile, and then it is again.
    guard let challenge = challenges.live[token] else { return failure == nil ? [.challenge(.stopServing(token))] : [] }
    guard let failure else {
      challenges.live[token]?.isInPlace = true
      return [.send(ChallengeAddedResult(token: token).text(correlation: challenge.correlation))]
    }
    challenges.live[token] = nil
    let result = ChallengeAddedResult(token: token, error: .internalError, errorText: failure)
    return [.say("a challenge cannot be served: \(failure)"), .send(result.text(correlation: challenge.correlation))]
  }

  /// The end of a challenge that nobody has removed, unless it was told again.
  mutating func expired(_ token: ChallengeToken, _ now: Instant) -> [DeviceAction] {
    guard let challenge = challenges.live[token] else { return [] }
    return challenge.end <= now ? remove(token) : [.start(.challenge(token), after: challenge.end - now)]
  }

  /// A request for a challenge has come in on the device's listener.
  mutating func asked(_ question: ChallengeQuestion, host: String?, token: ChallengeToken, _ now: Instant) -> [DeviceAction] {
    if let challenge = challenges.live[token], challenge.isInPlace, challenge.end > now {
      return [.challenge(.answer(question, challenge.keyAuthorization))]
    }
    // Whoever gets no answer from the connector follows its own rules.
    guard wishes.challenges == .lookup, challenges.questions.count < ServedChallenges.mostQuestions else {
      return [.challenge(.answer(question, nil))]
    }
    let message = GetChallenge(host: host, token: token.value)
    challenges.questions[question] = message
    let isAsked = link == .loggedIn || link == .registered
    return (isAsked ? [.send(message.text(correlation: question.correlation))] : [])
      + [.start(.question(question), after: ServedChallenges.questionLimit)]
  }

  /// A connector that is restarted is back before the CA gives up: what nobody has answered on a connection that has ended is asked on the next.
  func askAgain() -> [DeviceAction] {
    challenges.questions.map { .send($1.text(correlation: $0.correlation)) }
  }

  /// The connector has answered a question, or will not: then the answer is none.
  mutating func found(_ keyAuthorization: KeyAuthorization?, for correlation: Correlation) -> [DeviceAction] {
    guard let question = challenges.questions.keys.first(where: { $0.correlation == correlation }) else { return [] }
    challenges.questions[question] = nil
    return [.challenge(.answer(question, keyAuthorization))]
  }

  mutating func overdue(_ question: ChallengeQuestion) -> [DeviceAction] {
    challenges.questions.removeValue(forKey: question) == nil ? [] : [.challenge(.answer(question, nil))]
  }
}
