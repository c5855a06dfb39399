import Logging
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import ServiceLifecycle
import Varlink

/// Serves the scheduler's real interface, and does what a test tells it to.
final class FakeScheduler: Sendable {
  struct State {
    var registrations: [SchedulerMethods.Register.Parameters] = []
    var submissions: [SchedulerMethods.Submit.Parameters] = []
    var deliveries: [SchedulerMethods.Delivered.Parameters] = []
    var receipts: [SchedulerMethods.Installed.Parameters] = []
    var answers: [SchedulerMethods.AnswerRenewal.Parameters] = []
    var refused: [RefusedLogin] = []
    var looks: [DeviceID] = []
    var connected: [[DeviceID]] = []
    /// What is told about a device whenever it registers.
    var undelivered: [DeviceID: [RequestView]] = [:]
    var refusal: SchedulerMethods.Refused?
    var watcher: AsyncThrowingStream<SchedulerMethods.Watch.Reply, any Error>.Continuation?
    var settings = DeviceSettings(renewDays: 30, installDays: 10, maxDnsNames: 100)
    /// The gateway's own names.
    var names: [DNSName] = []
    var trustedProxies: [IPNetwork] = []

    var gateway: GatewaySettings { GatewaySettings(names: names, trustedProxies: trustedProxies) }
  }

  private let state = NIOLockedValueBox(State())

  /// Looks at what has come, or changes what is said.
  func with<Result>(_ body: (inout State) throws -> Result) rethrows -> Result { try state.withLockedValue(body) }

  /// The id that a device gets: its scope and what it is known by.
  static func id(_ identity: DeviceIdentity) -> DeviceID {
    DeviceID(rawValue: "\(identity.scope)/\(identity.hardwareID ?? identity.sip ?? identity.guid ?? "nobody")")
  }

  func tell(_ device: DeviceID, _ request: RequestView) {
    _ = state.withLockedValue { $0.watcher?.yield(.init(device: device, request: request)) }
  }

  func wish(_ renewal: RenewalWish, from device: DeviceID) {
    _ = state.withLockedValue { $0.watcher?.yield(.init(device: device, renewal: renewal)) }
  }

  func raise(_ alarm: DeviceAlarm, of device: DeviceID) {
    _ = state.withLockedValue { $0.watcher?.yield(.init(device: device, alarm: alarm)) }
  }

  func change(_ settings: DeviceSettings) {
    state.withLockedValue { state in
      state.settings = settings
      _ = state.watcher?.yield(.init(settings: settings, gateway: state.gateway))
    }
  }

  /// Whether the gateway listens: what is told before reaches nobody.
  var isHeard: Bool { state.withLockedValue { $0.watcher != nil } }

  /// Tells the gateway its names, be they others or the same.
  func tellGateway(_ names: [DNSName]) {
    state.withLockedValue { state in
      state.names = names
      _ = state.watcher?.yield(.init(settings: state.settings, gateway: state.gateway))
    }
  }

  /// Tells the gateway which reverse proxies are trusted.
  func tellGateway(trustedProxies: [IPNetwork]) {
    state.withLockedValue { state in
      state.trustedProxies = trustedProxies
      _ = state.watcher?.yield(.init(settings: state.settings, gateway: state.gateway))
    }
  }

  /// Ends the stream as a scheduler does whose reader is too slow.
  func resync() {
    state.withLockedValue { $0.watcher }?.finish(throwing: SchedulerMethods.Resync())
  }

  func server(at path: String) -> VarlinkServer {
    VarlinkServer(
      service: .init(vendor: "test", product: "scheduler", version: "0", url: ""),
      interfaces: [VarlinkInterfaceHandlers(.scheduler, handlers)], listeners: [.path(path)], logger: Logger(label: "fake scheduler"))
  }

  private var handlers: [VarlinkHandler] {
    [
      .reply(SchedulerMethods.Register.self) { [self] parameters, _ in
        let device = Self.id(parameters.identity)
        return state.withLockedValue { state in
          state.registrations.append(parameters)
          for request in state.undelivered[device] ?? [] { _ = state.watcher?.yield(.init(device: device, request: request)) }
          return .init(device: device, settings: state.settings)
        }
      },
      .reply(SchedulerMethods.Submit.self) { [self] parameters, _ in
        try state.withLockedValue { state in
          if let refusal = state.refusal { throw refusal }
          state.submissions.append(parameters)
          return .init(request: RequestView(id: RequestID(rawValue: "request-\(state.submissions.count)"), slot: parameters.slot, state: .queued))
        }
      },
      .reply(SchedulerMethods.Resume.self) { parameters, _ in
        guard parameters.request?.rawValue != "unknown" else { throw SchedulerMethods.NotFound(what: "request") }
        return .init(request: .ready(parameters.request?.rawValue ?? "request-1"))
      },
      .reply(SchedulerMethods.Delivered.self) { [self] parameters, _ in
        state.withLockedValue { $0.deliveries.append(parameters) }
        return .init()
      },
      .reply(SchedulerMethods.Installed.self) { [self] parameters, _ in
        state.withLockedValue { $0.receipts.append(parameters) }
        return .init()
      },
      .reply(SchedulerMethods.AnswerRenewal.self) { [self] parameters, _ in
        state.withLockedValue { $0.answers.append(parameters) }
        return .init()
      },
      .reply(SchedulerMethods.NoteConnected.self) { [self] parameters, _ in
        state.withLockedValue { $0.connected.append(parameters.devices) }
        return .init()
      },
      .reply(SchedulerMethods.NoteRefusedLogins.self) { [self] parameters, _ in
        state.withLockedValue { $0.refused += parameters.logins }
        return .init()
      },
      .reply(SchedulerMethods.LookAgain.self) { [self] parameters, _ in
        state.withLockedValue { $0.looks.append(parameters.device) }
        return .init()
      },
      .stream(SchedulerMethods.Watch.self) { [self] _, _, replies in
        let (stream, watcher) = AsyncThrowingStream.makeStream(of: SchedulerMethods.Watch.Reply.self, throwing: (any Error).self)
        let first = state.withLockedValue { state in
          state.watcher = watcher
          return SchedulerMethods.Watch.Reply(settings: state.settings, gateway: state.gateway)
        }
        defer { state.withLockedValue { $0.watcher = nil } }
        try await replies.send(first)
        for try await item in stream { try await replies.send(item) }
        throw Restarting()
      },
    ]
  }
}

extension RequestView {
  /// A request whose certificate is there.
  static func ready(_ id: String) -> RequestView {
    RequestView(
      id: RequestID(rawValue: id), slot: "default", state: .ready,
      certificate: DeliveredCertificate(
        chain: "-----BEGIN CERTIFICATE-----\n", fingerprint: Fingerprint(of: id.utf8), notBefore: Instant(milliseconds: 1),
        notAfter: Instant(milliseconds: 3), installAt: Instant(milliseconds: 2)))
  }
}
