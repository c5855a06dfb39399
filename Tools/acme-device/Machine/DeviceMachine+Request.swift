import AppWebsocket
import PKI

// How a device obtains a certificate and takes it into use.
extension DeviceMachine {
  mutating func receive(_ message: ConnectorMessage, _ correlation: Correlation, _ now: Instant) -> [DeviceAction] {
    switch message {
    case .registerDeviceResult(let result):
      link = .registered
      renewalWatch.renewDays = result.renewDays
      return proceed(now)
    case .requestCertificateResult(let result): return accepted(result)
    case .certificateState(let message):
      guard message.id == request?.id else { return [] }
      return tell(message.state, about: message.dns)
    case .certificateReady(let ready): return delivered(ready, now)
    case .certificateFailed(let report): return reported(report, now)
    case .getCertificateResult(let result): return resumed(result, now)
    case .certificateInstalledResult: return confirmed()
    case .renewCertificate(let wish): return renew(wish, correlation)
    case .alarmAdded(let alarm): return [.say("alarm: \(alarm.sentence)")]
    case .alarmCleared(let alarm): return [.say("alarm is over: \(alarm.sentence)")]
    case .challengeAdded(let wish): return add(wish, correlation, now)
    case .challengeRemoved(let challenge): return remove(challenge.token)
    case .getChallengeResult(let result): return found(result.found ? result.keyAuth : nil, for: correlation)
    case .refusal(let refusal) where refusal.refused == GetChallenge.name: return found(nil, for: correlation)
    case .refusal(let refusal): return refused(refusal, now)
    case .certificateInstallFailedResult, .deviceSettingsUpdated: return []
    }
  }

  /// Does what comes next, after each registration and whenever there is something new to do.
  mutating func proceed(_ now: Instant) -> [DeviceAction] {
    guard link == .registered else { return [] }
    guard let request else { return beginRequest(now) }
    switch request.stage {
    case .open where isRequestNew:
      isRequestNew = false
      return [.send(request.message.text)]
    case .open:
      let key = request.id.map(GetCertificate.Key.id) ?? .csrHash(request.csr.hash)
      return [.say("taking up the request of before"), .send(GetCertificate(key).text)]
    case .delivered: return []
    case .installed(let fingerprint):
      guard let id = request.id else { return confirmed() }
      return [.send(CertificateInstalled(id: id, fingerprint: fingerprint).text)]
    }
  }

  private mutating func beginRequest(_ now: Instant) -> [DeviceAction] {
    guard !isMakingRequest else { return [] }
    let isServed = installed?.serves(wishes.names, at: now) == true
    if wishes.stays, isServed { return [.say("the certificate in use is valid; waiting for the connector's word")] }
    // The CSR of a kept key is kept too: where it has a certificate that is not due, the connector answers with that one.
    if let last = installed?.request, wishes.fit(last), !wishes.newKey {
      let again = CertificateRequest(csr: last.csr, slot: last.slot, replaces: last.replaces)
      request = again
      return [.store(again), .send(again.message.text)]
    }
    isMakingRequest = true
    // Whoever wants another key than that of a valid certificate wants it now, and not when that one is due.
    let wantsOtherKey = wishes.newKey || wishes.keyKind != nil && wishes.keyKind != installed?.request?.csr.keyKind
    return [.makeRequest(replacing: installed?.chain.leaf.fingerprint, newKey: wishes.newKey, isForced: isServed && wantsOtherKey)]
  }

  mutating func take(_ made: CertificateRequest, _ now: Instant) -> [DeviceAction] {
    isMakingRequest = false
    request = made
    isRequestNew = true
    return proceed(now)
  }

  private mutating func accepted(_ result: RequestCertificateResult) -> [DeviceAction] {
    guard var request, request.stage == .open else { return [] }
    request.id = result.id
    self.request = request
    let first: [DeviceAction] = [.store(request), .say("connector accepted the request \(result.id)")]
    return first + standing(result.id, result.state, dueAt: result.dueAt)
  }

  /// What follows from where a request stands.
  private mutating func standing(_ id: ShortText, _ state: CertificateStage, dueAt: Instant?) -> [DeviceAction] {
    switch state {
    case .ready, .installed: return [.send(GetCertificate(.id(id)).text)]
    case .notDue:
      renewalWatch.dueAt = dueAt
      let sentence = "the certificate is not due\(dueAt.map { " before \($0)" } ?? ""); the connector keeps the request"
      guard !wishes.stays, installed != nil else { return [.say(sentence)] }
      return [.say(sentence), .finish(.done)]
    case .superseded, .revoked: return anew()
    default: return tell(state, about: nil)
    }
  }

  /// Tells where the request stands, each state once. One that others must end is told again when the time is over.
  private mutating func tell(_ state: CertificateStage, about name: DNSName?) -> [DeviceAction] {
    let sentence = Self.sentence(state, about: name)
    guard sentence != lastTold else { return [] }
    lastTold = sentence
    if [.awaitingApproval, .waitingForName].contains(state) { trouble = "It is \(sentence)." }
    return [.say(sentence)]
  }

  private mutating func resumed(_ result: GetCertificateResult, _ now: Instant) -> [DeviceAction] {
    guard var request, request.stage == .open, request.id == nil || request.id == result.id else { return [] }
    var actions: [DeviceAction] = []
    if request.id == nil {
      request.id = result.id
      self.request = request
      actions.append(.store(request))
    }
    switch result.outcome {
    case .ready(let ready): return actions + delivered(ready, now)
    case .failed(let report): return actions + reported(report, now)
    case nil where [.ready, .installed].contains(result.state):
      // It was issued, and the connector no longer has it.
      return actions + anew()
    case nil: return actions + standing(result.id, result.state, dueAt: result.dueAt)
    }
  }

  private mutating func delivered(_ ready: CertificateReady, _ now: Instant) -> [DeviceAction] {
    guard var request = request(for: ready), !isInstalling else { return [] }
    // The certificate comes again until the receipt has arrived.
    if case .installed(let fingerprint) = request.stage, fingerprint == ready.fingerprint { return proceed(now) }
    let chain: CertificateChain
    do {
      chain = try CertificateChain(pem: ready.certificate)
      try chain.verifyItself()
      try chain.verify(against: request.csr)
    } catch {
      let sentence = "The certificate that the connector sent is no use: \(error)"
      let report = DeviceAction.send(CertificateInstallFailed(id: ready.id, errorText: sentence).text)
      return [report] + (self.request == nil ? [.say(sentence)] : giveUp(sentence))
    }
    let stage = CertificateRequest.Stage.delivered(chain, installAt: ready.installAt)
    if self.request?.stage == stage { return ready.installAt <= now ? installWhenDue(now) : [] }
    if installed?.chain.leaf == chain.leaf {
      // Nothing new. Where a request is under way this ends it, and else the receipt was lost.
      request.stage = .installed(chain.leaf.fingerprint)
      self.request = request
      return [.store(request), .say("this certificate is in use already")] + proceed(now)
    }
    request.stage = stage
    self.request = request
    return [.store(request), .say("certificate \(chain.leaf.serial) by \(chain.leaf.issuerCommonName ?? "an issuer without a name")")]
      + installWhenDue(now)
  }

  /// The request that a certificate is for: the one under way or, when none is, the one that brought the certificate in use. An administrator may have
  /// had another certificate made for its CSR, under another id.
  private func request(for ready: CertificateReady) -> CertificateRequest? {
    guard ready.slot == wishes.slot else { return nil }
    if let request { return request.id == ready.id ? request : nil }
    guard !isMakingRequest, var last = installed?.request else { return nil }
    last.id = ready.id
    return last
  }

  /// Takes a delivered certificate into use, or waits for its time. A program that ends with the certificate in use does not wait for days, and where no
  /// valid certificate is in use there is nothing to wait for.
  mutating func installWhenDue(_ now: Instant) -> [DeviceAction] {
    guard let request, case .delivered(_, let installAt) = request.stage, !isInstalling else { return [] }
    let isServed = installed?.serves(wishes.names, at: now) == true
    guard wishes.stays, isServed, installAt > now else {
      isInstalling = true
      return [.install(request)]
    }
    return [.say("the certificate will be taken into use at \(installAt)"), .wake(.install, at: installAt)]
  }

  mutating func finishInstalling(_ certificate: InstalledCertificate, _ now: Instant) -> [DeviceAction] {
    isInstalling = false
    installed = certificate
    renewalWatch.dueAt = nil
    guard var request else { return watchRenewal(now) }
    request.stage = .installed(certificate.chain.leaf.fingerprint)
    self.request = request
    return watchRenewal(now) + [.store(request), .say("certificate installed, valid until \(certificate.chain.leaf.notAfter)")] + proceed(now)
  }

  private mutating func confirmed() -> [DeviceAction] {
    guard case .installed = request?.stage else { return [] }
    request = nil
    return [.forgetRequest] + (wishes.stays ? [.say("the connector knows that it is in use")] : [.finish(.done)])
  }

  private mutating func reported(_ report: CertificateFailed, _ now: Instant) -> [DeviceAction] {
    guard report.id == request?.id else { return [] }
    let sentence = Self.sentence(report)
    guard report.final else {
      trouble = sentence
      return [.say(sentence + (report.retryAfterSec.map { " The connector tries again in \($0) s." } ?? ""))]
    }
    guard report.error == .newKeyRequired else { return giveUp(sentence) }
    return [.say(sentence)] + anew(newKey: true)
  }

  /// Gives the request up for a new one.
  private mutating func anew(newKey: Bool = false, isForced: Bool = false) -> [DeviceAction] {
    guard !isMakingRequest else { return [] }
    isMakingRequest = true
    request = nil
    return [.makeRequest(replacing: installed?.chain.leaf.fingerprint, newKey: newKey, isForced: isForced)]
  }

  private mutating func renew(_ wish: RenewCertificate, _ correlation: Correlation) -> [DeviceAction] {
    guard wish.slot == wishes.slot else {
      return [.send(RenewCertificateResult(slot: wish.slot, accepted: false, error: .notFound).text(correlation: correlation))]
    }
    let answer = DeviceAction.send(RenewCertificateResult(slot: wish.slot, accepted: true).text(correlation: correlation))
    let oldKeyWillNotDo = wish.newKey || wish.reason == .keyCompromise
    // A request under way will do, unless its key will not.
    if isMakingRequest || request != nil && !oldKeyWillNotDo { return [answer] }
    return [answer, .say("the connector wants a new request: \(wish.reason.rawValue)")]
      + anew(newKey: oldKeyWillNotDo || wishes.newKey, isForced: wish.reason == .forced)
  }

  private mutating func refused(_ refusal: Refusal, _ now: Instant) -> [DeviceAction] {
    let sentence = "The connector refuses: \(refusal.errorText.isEmpty ? "it gives no reason" : refusal.errorText) (\(refusal.error.rawValue))"
    let isTransient = [.busy, .internalError, .notConfigured, .caUnavailable].contains(refusal.error)
    switch refusal.refused {
    case RegisterDevice.name where refusal.error == .unknownMessage:
      link = .registered
      return proceed(now)
    case RegisterDevice.name:
      return isTransient ? [.say(sentence), .disconnect] : stop(sentence)
    case GetCertificate.name where refusal.error == .notFound:
      guard let request, request.stage == .open else { return [] }
      return [.send(request.message.text)]
    case RequestCertificate.name where refusal.error == .newKeyRequired: return [.say(sentence)] + anew(newKey: true)
    case RequestCertificate.name, GetCertificate.name: return isTransient ? tryAgain(sentence) : giveUp(sentence)
    // The certificate is in use all the same; a connector that could take no receipt now is told again.
    case CertificateInstalled.name: return isTransient ? tryAgain(sentence) : [.say(sentence)] + confirmed()
    default: return [.say(sentence)]
    }
  }

  private static func sentence(_ state: CertificateStage, about name: DNSName?) -> String {
    switch state {
    case .notDue: "not due"
    case .awaitingApproval: "waiting for an administrator's approval: another device holds \(name?.value ?? "a name")"
    case .waitingForName: "waiting until \(name?.value ?? "a name") can be reached"
    case .queued: "waiting for its turn"
    case .ordering: "ordering"
    case .challenging: "validating \(name?.value ?? "the names")"
    case .finalizing: "the authority makes the certificate"
    case .ready: "the certificate is there"
    case .installed: "the certificate is installed"
    case .failed: "the attempt has failed"
    case .superseded: "a newer request took its place"
    case .revoked: "the certificate is revoked"
    }
  }

  private static func sentence(_ report: CertificateFailed) -> String {
    let name = report.dns.map { "\($0): " } ?? ""
    return "\(name)\(report.errorText) (\(report.error.rawValue))"
  }
}
