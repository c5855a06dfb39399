import PKI

// Where a device serves challenges: files of a web server, or its own listener, whose requests the machine answers.
extension Enrolment {
  /// What a request for a challenge is answered with; nil if this device has nothing to say to it.
  func answer(host: String?, token: ChallengeToken) async -> KeyAuthorization? {
    guard !hasEnded else { return nil }
    questionCount += 1
    let question = ChallengeQuestion(number: questionCount)
    return await withCheckedContinuation { continuation in
      questions[question] = continuation
      handle(.asked(question, host: host, token: token))
    }
  }

  func perform(_ action: ChallengeAction) {
    switch action {
    case .serve(let keyAuthorization, let token):
      do {
        try webroot?.put(keyAuthorization, token: token)
        handle(.served(token, failure: nil))
      } catch {
        handle(.served(token, failure: "\(error)"))
      }
    case .stopServing(let token):
      do { try webroot?.remove(token) } catch { progress.say("\(error)") }
    case .answer(let question, let keyAuthorization):
      questions.removeValue(forKey: question)?.resume(returning: keyAuthorization)
    }
  }

  /// Takes back what an earlier run has left, or this one at its end.
  func stopServing() {
    do { try webroot?.clear() } catch { progress.say("\(error)") }
    for question in questions.keys { perform(.answer(question, nil)) }
  }
}
