import PKI
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
          .init(visits: self.withdraw(order: parameters.order, token: parameters.token))
        },
      ])
  }

  /// `org.acmeconnector.Challenges`
  var challengesInterface: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(
      .challenges,
      [
        .reply(Challenges.Lookup.self) { parameters, _ in
          .init(ChallengeToken(parameters.token).flatMap { self.lookUp($0, for: parameters) }?.keyAuthorization)
        },
        .list(Challenges.List.self) { call in
          self.live().filter { token, _ in call.after.map { token.value > $0 } ?? true }.sorted { $0.token.value < $1.token.value }.map {
            .init(name: $0.value.name, token: $0.token, orders: $0.value.holders, expires: $0.value.end, hits: $0.value.hits)
          }
        },
      ])
  }
}
