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
    return [.say("a challenge can not be served: \(failure)"), .send(result.text(correlation: challenge.correlation))]
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
    guard wishes.challenges == .lookup, link == .loggedIn || link == .registered, challenges.questions.count < ServedChallenges.mostQuestions else {
      return [.challenge(.answer(question, nil))]
    }
    challenges.questions.insert(question)
    return [
      .send(GetChallenge(host: host, token: token.value).text(correlation: question.correlation)),
      .start(.question(question), after: ServedChallenges.questionLimit),
    ]
  }

  /// The connector has answered a question, or will not: then the answer is none.
  mutating func found(_ keyAuthorization: KeyAuthorization?, for correlation: Correlation) -> [DeviceAction] {
    guard let question = challenges.questions.first(where: { $0.correlation == correlation }) else { return [] }
    challenges.questions.remove(question)
    return [.challenge(.answer(question, keyAuthorization))]
  }

  mutating func overdue(_ question: ChallengeQuestion) -> [DeviceAction] {
    challenges.questions.remove(question) == nil ? [] : [.challenge(.answer(question, nil))]
  }

  /// Nobody will answer what was asked on a connection that has ended.
  mutating func abandonQuestions() -> [DeviceAction] {
    defer { challenges.questions = [] }
    return challenges.questions.map { .challenge(.answer($0, nil)) }
  }
}
