/// The bounds of what is pushed to devices.
struct ChallengeLimits: Sendable {
  /// Leases at a time: as many as challenge-http takes.
  var leases = 30_000
  /// The longest lease; a device drops an answer by itself after that time.
  var duration = Duration.seconds(3600)
  /// The longest id of an order, in bytes of UTF-8.
  var orderBytes = 256
  /// How long those who were told have to confirm. Below the ten seconds after which acme-client goes on without an answer.
  var confirmation = Duration.seconds(8)
  /// A device that is away for less may be about to be back: after a restart of the gateway, all are.
  var absence = Duration.seconds(10)
  /// A reverse proxy that is away for longer does not keep the devices behind it from being ordered for: it may be gone for good.
  var memory = Duration.seconds(7 * 86_400)
  /// How many names of reverse proxies are kept in mind while those are away.
  var heldNames = 20_000
  /// To how many reverse proxies one challenge goes.
  var proxies = 8
  /// Of how many devices it is kept in mind how they answer.
  var roles = 50_000
}
