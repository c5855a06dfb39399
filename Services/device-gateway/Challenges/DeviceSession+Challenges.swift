import AppWebsocket
import DeviceGatewayAPI

extension DeviceSession {
  /// Whether the device has a challenge's answer in place, by its own word.
  func note(_ result: ChallengeAddedResult) {
    if let visitor { context.challenges.answered(result, by: visitor.reference) }
  }

  /// The device was asked for a token, and asks what to answer.
  func lookUp(_ question: GetChallenge, _ correlation: Correlation) {
    guard let visitor, visitor.kind == .device else {
      return refuse(GetChallenge.name, .notAllowed, "Only devices look challenges up; log in with a device's secret.", correlation)
    }
    guard lookups.take(at: .now) else {
      return refuse(GetChallenge.name, .busy, "Too many look-ups; follow your own rules.", correlation)
    }
    context.lookups.ask(question) { answer in
      visitor.reference.perform { session in
        switch answer {
        case .success(let result): session.tell(result, correlation)
        case .failure(let refused): session.refuse(GetChallenge.name, refused.error, refused.text, correlation)
        }
      }
    }
  }
}
