import AppWebsocket
import PKI

/// What a device does, from the login to the receipt: a pure machine of events and actions. It holds no connection, no file, no secret and no clock.
struct DeviceMachine: Sendable {
  /// What the person who runs the program wants.
  struct Wishes: Sendable {
    /// The names of the certificate.
    var names: [DNSName]
    /// Which of the device's certificates it is.
    var slot: ShortText = .defaultSlot
    /// The hardware id.
    var hardwareID: ShortText
    /// The kind of the key; nil keeps what is there.
    var keyKind: KeyKind?
    /// Whether the key is a new one in any case.
    var newKey = false
    /// Whether to stay and renew, or to end with the certificate in use.
    var stays = false
    /// Who answers challenges for the names.
    var challenges = ServedChallenges.Way.none
    /// Whether the host forwards requests for others.
    var isReverseProxy = false
    /// How long the whole may take; nil for ever.
    var timeLimit: Duration?

    /// Whether a request is for the certificate that is wanted.
    func fit(_ request: CertificateRequest) -> Bool {
      Set(request.csr.names) == Set(names) && request.slot == slot && (keyKind == nil || keyKind == request.csr.keyKind)
    }

    /// Whether a request of an earlier run is to be gone on with. Where a new key is wanted it must have one, unless it came to its end.
    fileprivate func fit(_ request: CertificateRequest, besides installed: InstalledCertificate?) -> Bool {
      guard fit(request) else { return false }
      if case .installed = request.stage { return true }
      return !newKey || request.csr.publicKey != installed?.request?.csr.publicKey
    }
  }

  /// How far the connection has come.
  enum Link: Sendable { case down, connecting, loggedIn, registered }

  let wishes: Wishes
  /// Whether an earlier run has left a request for something else: what was wanted then is not wanted now.
  private let hasStaleRequest: Bool
  var link = Link.down
  var pause = ReconnectPause()
  /// The request under way.
  var request: CertificateRequest?
  /// The certificate in use.
  var installed: InstalledCertificate?
  /// Whether the request was made just now, and no connector can know it.
  var isRequestNew = false
  /// Whether a request is being made.
  var isMakingRequest = false
  /// Whether the certificate is being put in place.
  var isInstalling = false
  /// Whether this program has logged in once: then a refusal may pass.
  var hasLoggedIn = false
  /// The challenges that it serves.
  var challenges = ServedChallenges()
  /// Where the request stood when it was told last.
  var lastTold: String?
  /// What went wrong last, to be told when the time is over.
  var trouble: String?
  /// Whether the certificate in use should have been replaced by now.
  var renewalWatch = RenewalWatch()

  /// The machine of a device that finds this on its disk.
  init(_ wishes: Wishes, request: CertificateRequest? = nil, installed: InstalledCertificate? = nil) {
    self.wishes = wishes
    let fitting = request.flatMap { wishes.fit($0, besides: installed) ? $0 : nil }
    self.request = fitting
    self.hasStaleRequest = request != nil && fitting == nil
    self.installed = installed
  }

  /// Takes note of an event, and says what is to be done about it, in this order.
  mutating func handle(_ event: DeviceEvent, now: Instant, using generator: inout some RandomNumberGenerator) -> [DeviceAction] {
    switch event {
    case .started: start(now)
    case .loggedIn: loggedIn(now)
    case .loginRefused(let error, let retryAfter): loginRefused(error, retryAfter, using: &generator)
    case .received(let message, let correlation): receive(message, correlation, now)
    case .disconnected(let end): disconnected(end, using: &generator)
    case .requestMade(let made): take(made, now)
    case .installed(let certificate): finishInstalling(certificate, now)
    case .failed(let step, let reason): failed(step, reason)
    case .served(let token, let failure): served(token, failure: failure)
    case .asked(let question, let host, let token): asked(question, host: host, token: token, now)
    case .fired(let timer): fired(timer, now)
    }
  }

  private mutating func start(_ now: Instant) -> [DeviceAction] {
    let limit = wishes.timeLimit.map { [DeviceAction.start(.timeout, after: $0)] } ?? []
    link = .connecting
    let given: [DeviceAction] = hasStaleRequest ? [.say("the request of before was for something else, and is given up"), .forgetRequest] : []
    return limit + given + watchRenewal(now) + installWhenDue(now) + [.connect]
  }

  private mutating func fired(_ timer: DeviceTimer, _ now: Instant) -> [DeviceAction] {
    switch timer {
    case .reconnect:
      guard link == .down else { return [] }
      link = .connecting
      return [.connect]
    // One that could not be registered tries that first.
    case .retry: return link == .loggedIn ? [register(now)] : installWhenDue(now) + proceed(now)
    case .install: return installWhenDue(now)
    case .renewalWatch: return renewalWatch.nextLook.map { now >= $0 } == true ? watchRenewal(now) : []
    case .challenge(let token): return expired(token, now)
    case .question(let question): return overdue(question)
    case .timeout:
      return [.finish(.failed("There is no certificate yet, and the time is over. \(trouble ?? "The connector has not said why.")"))]
    }
  }

  /// Something went wrong with the request that will not mend by itself. Whoever waits is told; a device that stays tries anew after an hour.
  mutating func giveUp(_ sentence: String) -> [DeviceAction] {
    request = nil
    return [.forgetRequest] + stop(sentence)
  }

  /// Something went wrong that will not mend by itself; the request under way is not at fault.
  mutating func stop(_ sentence: String) -> [DeviceAction] {
    trouble = sentence
    return wishes.stays ? [.say(sentence), .start(.retry, after: .seconds(3600))] : [.finish(.failed(sentence))]
  }

  /// Something went wrong that may mend by itself.
  mutating func tryAgain(_ sentence: String, after pause: Duration = .seconds(30)) -> [DeviceAction] {
    trouble = sentence
    return [.say(sentence), .start(.retry, after: pause)]
  }

  private mutating func failed(_ step: LocalStep, _ reason: String) -> [DeviceAction] {
    switch step {
    case .request:
      isMakingRequest = false
      return wishes.stays ? tryAgain(reason, after: .seconds(600)) : [.finish(.failed(reason))]
    case .store:
      // What is not on disk must not be told to anyone.
      return [.finish(.failed(reason))]
    case .install:
      isInstalling = false
      let id = request?.id
      let report = id.map { [DeviceAction.send(CertificateInstallFailed(id: $0, errorText: reason).text)] } ?? []
      return report + (wishes.stays ? tryAgain(reason, after: .seconds(600)) : [.finish(.failed(reason))])
    }
  }
}
