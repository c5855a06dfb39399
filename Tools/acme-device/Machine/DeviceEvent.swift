import AppWebsocket
import PKI

/// What happens to a device.
enum DeviceEvent: Sendable {
  /// The program has started.
  case started
  /// The connector has accepted the login.
  case loggedIn
  /// The connector has refused the login.
  case loginRefused(ErrorToken, retryAfter: Duration?)
  /// The connector has sent a message.
  case received(ConnectorMessage, Correlation)
  /// The connection has ended, or none came about.
  case disconnected(ConnectionEnd)
  /// The key and the CSR that were wanted are on disk.
  case requestMade(CertificateRequest)
  /// The certificate is in use, and the hook has run.
  case installed(InstalledCertificate)
  /// A key, a CSR or a file could not be made, or the hook has failed.
  case failed(LocalStep, String)
  /// A challenge is served, or cannot be for the reason given.
  case served(ChallengeToken, failure: String?)
  /// A request for a challenge has come in on the device's listener.
  case asked(ChallengeQuestion, host: String?, token: ChallengeToken)
  /// A timer has run out.
  case fired(DeviceTimer)
}

/// What a device does by itself, and what can fail there.
enum LocalStep: Sendable, Hashable {
  /// Making the key and the CSR.
  case request
  /// Writing down how far the request has come.
  case store
  /// Putting the certificate in place, and running the hook.
  case install
}

/// How a connection ended.
enum ConnectionEnd: Sendable, Hashable {
  /// By a close frame with this code, or without one.
  case closed(code: UInt16?)
  /// The same device has logged in on another connection.
  case replaced
  /// By an error, or none came about.
  case failed(ConnectionError)
}

/// What a device waits for.
enum DeviceTimer: Sendable, Hashable {
  /// The next attempt to connect.
  case reconnect
  /// The next attempt at what has failed.
  case retry
  /// The moment when a certificate is to be taken into use.
  case install
  /// The moment when the certificate in use should have been replaced, or when that is told again.
  case renewalWatch
  /// The end of a challenge that nobody has removed.
  case challenge(ChallengeToken)
  /// The end of the time in which the connector could have answered.
  case question(ChallengeQuestion)
  /// The end of the time that the whole may take.
  case timeout
}
