import AppWebsocket
import PKI

/// What is to be done about an event.
enum DeviceAction: Sendable, Hashable {
  /// Open a connection and log in.
  case connect
  /// Send this message; without a connection it is not sent.
  case send(String)
  /// Close the connection.
  case disconnect
  /// Take the key at hand or make a new one, make a CSR, put both on disk, and come back with the request.
  case makeRequest(replacing: Fingerprint?, newKey: Bool, isForced: Bool)
  /// Put the request on disk as it is now.
  case store(CertificateRequest)
  /// Put the delivered certificate in place and run the hook.
  case install(CertificateRequest)
  /// Remove the request from disk; it is over.
  case forgetRequest
  /// Do something about the challenges that the device serves.
  case challenge(ChallengeAction)
  /// Start a timer.
  case start(DeviceTimer, after: Duration)
  /// Start a timer that runs out at a time of day, whatever becomes of the clock meanwhile.
  case wake(DeviceTimer, at: Instant)
  /// Tell of an alarm, or its end, whoever has to know.
  case alarm(CertificateAlarm)
  /// Tell the person who looks on.
  case say(String)
  /// End the program.
  case finish(Outcome)
}

/// What is to be done about challenges.
enum ChallengeAction: Sendable, Hashable {
  /// Have requests for the token answered, and come back when they are.
  case serve(KeyAuthorization, token: ChallengeToken)
  /// Have them answered no more.
  case stopServing(ChallengeToken)
  /// Answer a request on the listener; without a key authorization there is nothing to be found.
  case answer(ChallengeQuestion, KeyAuthorization?)
}

/// How the program ends.
enum Outcome: Sendable, Hashable {
  /// The certificate that was wanted is in use.
  case done
  /// It is not, for the reason in this sentence.
  case failed(String)
}
