import AppWebsocket
import DeviceGatewayAPI
import SchedulerAPI

extension DeviceSession {
  /// Whether the device has a challenge's answer in place, by its own word.
  func note(_ result: ChallengeAddedResult) {
    if let visitor { context.challenges.answered(result, by: visitor.reference) }
  }

  /// The device was asked for a token, and asks what to answer.
  func lookUp(_ question: GetChallenge, _ correlation: Correlation) {
    guard let connection, let visitor, visitor.kind == .device else {
      return refuse(GetChallenge.name, .notAllowed, "Only devices look challenges up; log in with a device's secret.", correlation)
    }
    guard lookups.take(at: .now) else {
      return refuse(GetChallenge.name, .busy, "Too many look-ups; follow your own rules.", correlation)
    }
    // One that has not registered is known by its login.
    let asker = ChallengeLookups.Asker(
      name: visitor.device?.rawValue ?? visitor.reference.login.value, address: connection.origin.address)
    context.lookups.ask(question, by: asker) { answer in
      visitor.reference.perform { session in
        switch answer {
        case .success(let result): session.tell(result, correlation)
        case .failure(let refused): session.refuse(GetChallenge.name, refused.error, refused.text, correlation)
        }
      }
    }
  }
}
