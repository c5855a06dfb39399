import ResponderAPI
import Varlink

extension PushedChallenges {
  /// `org.acmeconnector.Responder` for devices that answer challenges themselves. While it serves a call it calls neither scheduler nor acme-client.
  var responderInterface: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(
      .responder,
      [
        .reply(Responder.Foresee.self) { parameters, _ in .init(obstacles: self.obstacles(to: parameters.names, of: parameters.device)) },
        .reply(Responder.Publish.self) { parameters, _ in try await self.publish(parameters) },
        .reply(Responder.Withdraw.self) { parameters, _ in
          self.withdraw(order: parameters.order, token: parameters.token)
          return .init()
        },
      ])
  }
}
