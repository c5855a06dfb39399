import AppWebsocket
import Logging
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import ServiceRuntime
import Telemetry

/// The gateway as a device of its own: it gets the certificate for its public names through the connector, as any device does, with the key that devices
/// pin, and takes each new one into use at once, for the pin stays and nobody's connection ends.
///
/// It hands the same CSR in again and again. An equal one joins the request that there is, and when its certificate is due it is a new request: so what is
/// due is the scheduler's to decide, as for everyone.
actor OwnDevice {
  private let folder: TLSFolder
  private let tls: CurrentTLS
  private let scheduler: SchedulerClient
  private let clock: WallClock
  private let logger: Logger
  /// How often the CSR is handed in, and the end of the certificate is looked at. The shortest certificates live for hours.
  private let interval: Duration

  /// The CA's certificate, be it over or not.
  private var obtained: GatewayCertificate?
  private var names: [DNSName] = []
  /// The CSR for these names, once it is handed in.
  private var request: SigningRequest?
  private var standing = Standing()

  /// The latest of what has to be looked at; far more than comes between two turns.
  private nonisolated let mailbox = AsyncStream.makeStream(of: Notice.self, bufferingPolicy: .bufferingNewest(256))
  /// Its id with the scheduler; nil until it has registered.
  private nonisolated let device = NIOLockedValueBox<DeviceID?>(nil)

  private enum Notice: Sendable {
    case settings(GatewaySettings)
    case request(RequestView)
    case time
  }

  /// How it stands with the certificate, for administrators.
  struct Standing: Sendable, Hashable {
    /// The names that it is for.
    var names: [DNSName] = []
    /// That of the request; nil before it is handed in.
    var state: RequestState?
    /// Why there is none yet, or none newer: one sentence.
    var problem: String?
  }

  /// - Parameter tls: has what `folder` keeps, or its self-signed certificate.
  init(
    in folder: TLSFolder, obtained: GatewayCertificate?, tls: CurrentTLS, scheduler: SchedulerClient, clock: WallClock, logger: Logger,
    interval: Duration = .seconds(3600)
  ) {
    self.folder = folder
    self.obtained = obtained
    self.tls = tls
    self.scheduler = scheduler
    self.clock = clock
    self.logger = logger
    self.interval = interval
  }

  /// How it stands.
  var report: Standing { standing }

  /// Takes what the scheduler tells, if it is about the gateway itself. Never waits.
  nonisolated func hear(_ item: SchedulerMethods.Watch.Reply) {
    if let settings = item.gateway { mailbox.continuation.yield(.settings(settings)) }
    guard let device = item.device, device == self.device.withLockedValue({ $0 }) else { return }
    if let request = item.request { mailbox.continuation.yield(.request(request)) }
    // A CSR is wanted: the next turn comes at once.
    if item.renewal != nil { mailbox.continuation.yield(.time) }
  }

  /// Works until it is cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { tasks in
      tasks.addTask { [interval, mailbox] in
        while (try? await Task.sleep(for: interval)) != nil { mailbox.continuation.yield(.time) }
      }
      for await notice in mailbox.stream { await TraceContext.$current.withValue(.make()) { await take(notice) } }
      tasks.cancelAll()
    }
  }

  private func take(_ notice: Notice) async {
    switch notice {
    case .settings(let settings):
      if names != settings.names { standing = Standing(names: settings.names) }
      names = settings.names
      await handIn()
    case .request(let request):
      await attempt { try await look(at: request) }
    case .time:
      serve()
      await handIn()
    }
  }
}

// MARK: - At the scheduler

extension OwnDevice {
  /// By what the scheduler knows it; no login has this scope.
  private static let identity = DeviceIdentity(scope: "gateway", hardwareID: "device-gateway")

  private func handIn() async {
    guard !names.isEmpty else { return }
    await attempt {
      let leaf = obtained?.leaf
      let description = DeviceDescription(
        kind: RegisterDevice.Kind.other.rawValue, product: "acme-connector", version: Product.version, name: "device-gateway", roles: [],
        dnsNames: names.map(\.value), certificates: leaf.map { [$0.pem] } ?? [])
      let device = try await scheduler.register(Self.identity, description).device
      self.device.withLockedValue { $0 = device }
      let request = try folder.request(for: names)
      self.request = request
      RehearsedDeath.at("device-gateway.ownRequestStored")
      let outcome = try await scheduler.run(.submit(RequestCertificate(csr: request.pem, replaces: leaf?.fingerprint)), for: device)
      if case .request(let view) = outcome { try await look(at: view) }
    }
  }

  /// Does something that may fail and is done again later; what failed is kept for administrators.
  private func attempt(_ body: () async throws -> Void) async {
    do {
      try await body()
    } catch {
      if Task.isCancelled { return }
      let problem = (error as? SchedulerMethods.Refused)?.text ?? "\(error)"
      if standing.problem != problem {
        logger.log(.ownCertificateFailed, "the gateway's own certificate cannot be obtained: \(problem)")
        standing.problem = problem
      }
    }
  }

  /// A request of the gateway has come further.
  private func look(at view: RequestView) async throws {
    guard view.state != .superseded, let request, let device = device.withLockedValue({ $0 }) else { return }
    standing.state = view.state
    standing.problem = view.failure?.text
    guard let certificate = view.certificate, [.ready, .installed].contains(view.state), let id = ShortText(view.id.rawValue) else { return }
    if certificate.fingerprint != obtained?.leaf.fingerprint {
      do {
        try install(certificate.chain, for: request)
      } catch {
        _ = try await scheduler.run(.notInstalled(CertificateInstallFailed(id: id, errorText: "\(error)")), for: device)
        throw error
      }
    }
    guard view.state == .ready else { return }
    _ = try await scheduler.run(.installed(CertificateInstalled(id: id, fingerprint: certificate.fingerprint)), for: device)
    RehearsedDeath.at("device-gateway.ownReceiptPassed")
    standing.state = .installed
  }
}

// MARK: - What is served

extension OwnDevice {
  /// Takes a chain into use: on disk first, so that the next process serves it too.
  private func install(_ pem: String, for request: SigningRequest) throws {
    let chain = try CertificateChain(pem: pem).withoutRoot
    try chain.verify(against: request)
    let certificate = try folder.checked(chain)
    try folder.store(chain)
    RehearsedDeath.at("device-gateway.ownChainStored")
    obtained = certificate
    serve()
  }

  /// Serves the CA's certificate until its end, and else the self-signed one.
  private func serve() {
    let best = folder.best(obtained, at: clock.now())
    guard best.leaf != tls.certificate.leaf else { return }
    tls.replace(with: best)
    logger.log(
      .ownCertificateServed,
      best.origin == .authority
        ? "the gateway serves a new certificate" : "the gateway's certificate is over; it serves the one that it has signed itself",
      metadata: [.serial: best.leaf.serial, .issuer: best.leaf.issuerCommonName, .end: best.leaf.notAfter])
  }
}

extension TLSFolder {
  /// What is to be served now, of the CA's certificate and the self-signed one.
  func best(_ obtained: GatewayCertificate?, at now: Instant) -> GatewayCertificate {
    guard let obtained, now < obtained.leaf.notAfter else { return selfSigned }
    return obtained
  }
}
