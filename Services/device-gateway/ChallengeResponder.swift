import ResponderAPI
import Varlink

/// `org.acmeconnector.Responder` for devices that answer challenges themselves. None is asked to yet (`ChallengeAdded` of the device protocol is not
/// sent), so no name is served here.
enum ChallengeResponder {
  static let handlers = VarlinkInterfaceHandlers(
    .responder,
    [
      .reply(Responder.Publish.self) { _, _ in .init(.notMine) },
      .reply(Responder.Withdraw.self) { _, _ in .init() },
    ])
}
