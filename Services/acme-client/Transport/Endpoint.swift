/// What a request is for: for counters and the log.
enum Endpoint: String, Sendable {
  case directory, newNonce, newAccount, account, keyChange, orders, newOrder, order, authorization, challenge, finalize, certificate, revokeCert,
    renewalInfo

  /// Asked over and over; not worth a line each.
  var isPolled: Bool { [.directory, .newNonce, .order, .authorization, .renewalInfo].contains(self) }
}
