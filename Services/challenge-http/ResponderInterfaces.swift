import ResponderAPI
import Varlink

/// What the service offers to the others.
extension LiveTokens {
  /// `org.acmeconnector.Responder`: every name is ours, none is ours alone.
  var responderInterface: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(
      .responder,
      [
        .reply(Responder.Publish.self) { parameters, _ in
          try self.publish(parameters)
          return .init(.inPlace)
        },
        .reply(Responder.Withdraw.self) { parameters, _ in
          self.withdraw(order: parameters.order, token: parameters.token)
          return .init()
        },
      ])
  }

  /// `org.acmeconnector.Challenges`
  var challengesInterface: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(
      .challenges,
      [
        .reply(Challenges.Lookup.self) { parameters, _ in
          .init(ChallengeToken(parameters.token).flatMap(self.token)?.keyAuthorization)
        },
        .reply(Challenges.List.self) { _, _ in
          .init(
            challenges: self.live().map { token, value in
              .init(name: value.name, token: token, orders: value.holders, expires: value.end, hits: value.hits)
            })
        },
      ])
  }
}
