import AppWebsocket
import PKI

/// Runs a ``DeviceMachine``: owns its state, and does what it wants on connections, files, timers and the hook.
actor Enrolment {
  private var machine: DeviceMachine
  private let subject: LoginDigest.Subject
  private let secret: SecretFile
  private let gateway: GatewayConnector
  private let folder: CertificateFolder
  private let hook: InstallHook?
  private let alarmHook: AlarmHook?
  let webroot: Webroot?
  let progress: Progress
  private let clock: WallClock
  private var generator: any RandomNumberGenerator & Sendable

  private let jobs = AsyncStream.makeStream(of: Job.self)
  private var outbox: Outbox?
  /// The session of the connection at hand; there is never more than one.
  private var session: ClientSession?
  private var outcome: Outcome?
  /// How many alarm hooks run: the program does not end before them.
  private var alarmsUnderWay = 0
  /// Requests for challenges that are not answered yet.
  var questions: [ChallengeQuestion: CheckedContinuation<KeyAuthorization?, Never>] = [:]
  var questionCount: UInt64 = 0
  var hasEnded: Bool { outcome != nil }

  /// What takes time, and is done beside the rest.
  private enum Job: Sendable {
    case connect
    case makeRequest(replacing: Fingerprint?, newKey: Bool, isForced: Bool)
    case install(CertificateRequest)
    case alarm(CertificateAlarm)
    case wait(DeviceTimer, Duration)
    case waitUntil(DeviceTimer, Instant)
  }

  /// An enrolment that takes up what it finds in the folder.
  init(
    _ wishes: DeviceMachine.Wishes, as subject: LoginDigest.Subject, secret: SecretFile, at gateway: GatewayConnector, in folder: CertificateFolder,
    hook: InstallHook? = nil, alarmHook: AlarmHook? = nil, webroot: Webroot? = nil, progress: Progress, clock: WallClock = .system,
    generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
  ) throws {
    machine = DeviceMachine(wishes, request: try folder.request(), installed: try folder.installed())
    self.subject = subject
    self.secret = secret
    self.gateway = gateway
    self.folder = folder
    self.hook = hook
    self.alarmHook = alarmHook
    self.webroot = webroot
    self.progress = progress
    self.clock = clock
    self.generator = generator
  }

  /// Runs until the certificate is in use, or it is certain that it will not be.
  func run() async -> Outcome {
    stopServing()
    await withDiscardingTaskGroup { tasks in
      handle(.started)
      for await job in jobs.stream {
        tasks.addTask { await self.perform(job) }
      }
      tasks.cancelAll()
    }
    stopServing()
    return outcome ?? .failed("The program was interrupted.")
  }

  func handle(_ event: DeviceEvent) {
    guard outcome == nil else { return }
    for action in machine.handle(event, now: clock.now(), using: &generator) {
      perform(action)
    }
  }

  private func perform(_ action: DeviceAction) {
    // After the end nothing more is done, and what follows a file that could not be written is not sent.
    guard outcome == nil else { return }
    switch action {
    case .connect: jobs.continuation.yield(.connect)
    case .send(let text): send(text)
    case .disconnect: send(.close(.normal))
    case .makeRequest(let replaced, let newKey, let isForced):
      jobs.continuation.yield(.makeRequest(replacing: replaced, newKey: newKey, isForced: isForced))
    case .store(let request): writeDown { try folder.store(request) }
    case .forgetRequest: writeDown { try folder.forgetRequest() }
    case .install(let request): jobs.continuation.yield(.install(request))
    case .challenge(let action): perform(action)
    case .start(let timer, let pause): jobs.continuation.yield(.wait(timer, pause))
    case .wake(let timer, let moment): jobs.continuation.yield(.waitUntil(timer, moment))
    case .alarm(let alarm): tell(alarm)
    case .say(let sentence): progress.say(sentence)
    case .finish(let outcome): finish(outcome)
    }
  }

  private func writeDown(_ write: () throws -> Void) {
    do { try write() } catch { handle(.failed(.store, "\(error)")) }
  }

  private func finish(_ outcome: Outcome) {
    self.outcome = outcome
    // The connection, if there is one, is closed in good form and ends the program when it has ended.
    if outbox == nil { endIfIdle() } else { send(.close(.normal)) }
  }

  private func endIfIdle() {
    if outcome != nil, outbox == nil, alarmsUnderWay == 0 { jobs.continuation.finish() }
  }

  private func tell(_ alarm: CertificateAlarm) {
    progress.alarm(alarm)
    guard alarmHook != nil else { return }
    alarmsUnderWay += 1
    jobs.continuation.yield(.alarm(alarm))
  }

  private func perform(_ job: Job) async {
    switch job {
    case .connect: await connect()
    case .makeRequest(let replaced, let newKey, let isForced): handle(await made(replaced, newKey, isForced))
    case .install(let request): handle(await install(request))
    case .alarm(let alarm):
      do { try await alarmHook?.run(alarm, folder: folder.path) } catch { progress.say("\(error)") }
      alarmsUnderWay -= 1
      endIfIdle()
    case .wait(let timer, let pause):
      if (try? await Task.sleep(for: pause)) != nil { handle(.fired(timer)) }
    case .waitUntil(let timer, let moment):
      // In steps, for the clock may be set meanwhile.
      while clock.now() < moment {
        guard (try? await Task.sleep(for: min(moment - clock.now(), .seconds(60)))) != nil else { return }
      }
      handle(.fired(timer))
    }
  }
}

// MARK: The connection

extension Enrolment {
  private func connect() async {
    let end: ConnectionEnd
    do {
      let password = try secret.read()
      let connection = try await gateway.open()
      let outbox = Outbox()
      self.outbox = outbox
      session = ClientSession(as: subject, password: password)
      tellSession(.connected)
      end = await connection.run(outbox) { text in await self.receive(text) }
    } catch let error as ConnectionError {
      end = .failed(error)
    } catch {
      end = .failed(.broken("\(error)"))
    }
    outbox = nil
    if outcome == nil { handle(.disconnected(end)) } else { endIfIdle() }
  }

  private func receive(_ text: String) {
    progress.received(text)
    tellSession(.received(text))
  }

  private func tellSession(_ event: ClientSession.Event) {
    for action in session?.handle(event) ?? [] {
      switch action {
      case .send(let text): send(text)
      case .loggedIn: handle(.loggedIn)
      case .refused(let error, let seconds): handle(.loginRefused(error, retryAfter: seconds.map { .seconds($0) }))
      case .deliver(let message, let correlation): handle(.received(message, correlation))
      case .remark(let remark): progress.say("\(remark)")
      case .close(let code, _): send(.close(code))
      }
    }
  }

  private func send(_ text: String) {
    progress.sent(text)
    send(.text(text))
  }

  private func send(_ outgoing: GatewayConnection.Outgoing) {
    do { try outbox?.put(outgoing) } catch { outbox?.finish() }
  }
}

// MARK: Key, files, hook

extension Enrolment {
  private func made(_ replaced: Fingerprint?, _ newKey: Bool, _ isForced: Bool) async -> DeviceEvent {
    let wishes = machine.wishes
    do {
      let key = try await Self.key(in: folder, kind: wishes.keyKind, isNew: newKey)
      let csr = try key.signingRequest(for: wishes.names)
      let request = CertificateRequest(csr: csr, slot: wishes.slot, replaces: replaced, isForced: isForced)
      try folder.begin(request, key: key)
      return .requestMade(request)
    } catch {
      return .failed(.request, "\(error)")
    }
  }

  /// The key in use, or a new one where there is none, another kind is wanted, or it shall be new. Off the actor, for RSA takes its time.
  @concurrent
  private static func key(in folder: CertificateFolder, kind: KeyKind?, isNew: Bool) async throws -> SigningKey {
    let current = try folder.key()
    if let current, !isNew, kind == nil || kind == current.kind { return current }
    return try SigningKey(kind ?? current?.kind ?? .p256)
  }

  private func install(_ request: CertificateRequest) async -> DeviceEvent {
    guard case .delivered(let chain, _) = request.stage else { return .failed(.install, "There is no certificate to be installed.") }
    do {
      let certificate = try folder.install(chain, of: request)
      try await hook?.run(folder: folder.path, certificate: certificate)
      return .installed(certificate)
    } catch {
      return .failed(.install, "\(error)")
    }
  }
}
