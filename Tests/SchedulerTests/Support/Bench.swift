import ACMEClientAPI
import FoundationEssentials
import Logging
import PKI
import SchedulerAPI
import ServiceLifecycle
import Testing
import Varlink

@testable import Scheduler

/// A scheduler with a folder of its own, and a stand-in for acme-client: everything real but the clock and the CA.
struct Bench: Sendable {
  let folder: URL
  let clock = ManualClock()
  let client: StandInClient
  let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  init() throws {
    // Unix socket paths are short.
    folder = URL(filePath: "/tmp/scheduler-\(String(UInt32.random(in: 0 ... .max), radix: 36))", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    client = StandInClient(clock: clock.wallClock)
  }

  func path(_ name: String) -> String { folder.appending(component: name).path(percentEncoded: false) }

  /// Another process on the same folder.
  func fleet(
    _ variables: [String: String] = ["ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory"], longestQueue: Int = 10_000
  ) throws -> Fleet {
    let store = try Store(at: folder.appending(component: "scheduler.sqlite"))
    let settings = try LiveSettings(
      stored: store.storedSettings(), file: folder.appending(component: "settings.json"), variables: variables, logger: logger)
    return Fleet(
      store: store, settings: settings, watched: Watched(longestQueue: longestQueue), board: OrderBoard(), clock: clock.wallClock,
      chance: Chance(fraction: { 0.5 }, identifier: Chance.system.identifier), logger: logger)
  }

  /// Runs the queue while `body` runs, and ends it like a killed process is: without a word. Beside it runs the stand-in for acme-client, unless
  /// the test has its own idea of that.
  func working<Value: Sendable>(
    _ fleet: Fleet, withClient: Bool = true, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let orders = OrderQueue(fleet: fleet, client: VarlinkClient(path: path("acme-client.sock")), clock: clock)
    let working: @Sendable () async throws -> Value = {
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        defer { tasks.cancelAll() }
        tasks.addTask { try await orders.run() }
        return try await body()
      }
    }
    return withClient ? try await serving(client.interface, at: path("acme-client.sock"), working) : try await working()
  }

  /// Serves an interface while `body` runs.
  func serving<Value: Sendable>(
    _ interface: VarlinkInterfaceHandlers, at path: String, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let server = VarlinkServer(
      service: .init(vendor: "test", product: "test", version: "1", url: ""), interfaces: [interface], listeners: [.path(path)], logger: logger)
    let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await answered(path)
      let outcome: Result<Value, any Error>
      do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      return try outcome.get()
    }
  }

  /// Returns when a server answers at the path.
  func answered(_ path: String) async throws {
    try await eventually { (try? await VarlinkClient(path: path).call(GetInfo.self, .init())) != nil }
  }

  /// Returns when the queue of a scheduler that works has done whatever there was to do by now, and waits for the time to go on.
  func settle(_ fleet: Fleet) async throws {
    let rests = fleet.board.rests.open()
    let call = fleet.board.wake()
    for try await rest in rests where rest >= call { return }
    throw CancellationError()
  }

  /// Moves the clock. Time never outruns the scheduler: it goes on when everything is done that came before, and what it brings is done afterwards.
  func advance(by duration: Duration, at fleet: Fleet) async throws {
    try await settle(fleet)
    clock.advance(by: duration)
    try await settle(fleet)
  }

  /// Moves the clock in steps until `condition` holds.
  func advance(by step: Duration, at fleet: Fleet, until condition: () async throws -> Bool) async throws {
    try await settle(fleet)
    for _ in 0..<2_000 {
      if try await condition() { return }
      try await advance(by: step, at: fleet)
    }
    Issue.record("it never happened, however far the clock was moved")
  }

  /// Waits for something that no event tells of: what others do while an order is under way, and what comes before the scheduler works.
  func eventually(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<5_000 {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("it never happened")
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}

/// A bench for one test; the folder is gone afterwards.
func onBench(_ body: (Bench) async throws -> Void) async throws {
  let bench = try Bench()
  defer { bench.remove() }
  try await body(bench)
}

extension Fleet {
  /// A device of the instance's login.
  func device(_ hardwareID: String, suffixes: [DNSName]? = nil) async throws -> DeviceID {
    let identity = DeviceIdentity(scope: suffixes == nil ? "instance" : "domain:example.net", hardwareID: hardwareID, nameSuffixes: suffixes)
    return try await register(identity, description: nil)
  }

  func submit(_ csr: SigningRequest, of device: DeviceID, slot: String = "default", force: Bool = false) async throws -> RequestView {
    try await submit(Application(csr: csr.pem, slot: slot, force: force), of: device)
  }

  /// A certificate for the CSR, which its device has confirmed.
  func installed(_ csr: SigningRequest, of device: DeviceID) async throws -> (request: RequestID, certificate: DeliveredCertificate) {
    let request = try await submit(csr, of: device).id
    let certificate = try #require(try await self.request(request, of: device, in: .ready).certificate)
    try await confirm(certificate.fingerprint, for: request, of: device)
    return (request, certificate)
  }

  /// A device with an installed certificate.
  func enrolled(_ hardwareID: String, _ csr: SigningRequest) async throws -> Enrolled {
    let device = try await device(hardwareID)
    let request = try await submit(csr, of: device)
    guard let certificate = try await self.request(request.id, of: device, in: .ready).certificate else { throw CancellationError() }
    try await confirm(certificate.fingerprint, for: request.id, of: device)
    return Enrolled(device: device, csr: csr, request: request.id, certificate: certificate)
  }

  /// Where the request stands once it is in one of these states.
  func request(_ id: RequestID, of device: DeviceID, in states: RequestState...) async throws -> RequestView {
    let changes = watched.changes.open()
    let now = try await resume(device, request: id, csrHash: nil, slot: nil)
    if states.contains(now.state) { return now }
    for try await change in changes {
      if let view = change.request, view.id == id, states.contains(view.state) { return view }
    }
    throw CancellationError()
  }

  func eventCodes() async throws -> [String] { try await events(after: 0, limit: 1_000, of: nil).map(\.code) }
}

/// A device with an installed certificate, and how it came by it.
struct Enrolled {
  let device: DeviceID
  let csr: SigningRequest
  let request: RequestID
  let certificate: DeliveredCertificate
}

/// `org.varlink.service.GetInfo`, as far as a test needs it.
enum GetInfo: VarlinkMethod {
  static let interface = VarlinkInterface("org.varlink.service", text: [])
  typealias Parameters = NoMembers
  struct Reply: Codable, Sendable { var vendor: String }
}
