import AppWebsocket
import Logging
import SchedulerAPI
import ServiceRuntime
import Telemetry
import Varlink

/// Runs errands to the scheduler. It is asked again while it restarts: a device need not notice.
struct SchedulerClient: Sendable {
  let scheduler: VarlinkClient
  let logger: Logger
  /// How long one call may take.
  var callLimit = Duration.seconds(10)
  /// The pauses before further attempts when nobody answers.
  var pauses: [Duration] = [.milliseconds(100), .milliseconds(300), .seconds(1), .seconds(2)]

  private let trouble = StandingTrouble()

  /// Makes the device known.
  func register(_ identity: DeviceIdentity, _ description: DeviceDescription?) async throws -> SchedulerMethods.Register.Reply {
    try await call(SchedulerMethods.Register.self, .init(identity: identity, description: description))
  }

  /// Runs an errand for a device that is registered.
  func run(_ errand: Errand, for device: DeviceID) async throws -> Errand.Outcome {
    switch errand {
    case .register:
      return .receiptTaken
    case .submit(let message):
      let reply = try await call(
        SchedulerMethods.Submit.self,
        .init(
          device: device, csr: message.csr, slot: (message.slot ?? .defaultSlot).value, dnsNames: message.dnsNames, replaces: message.replaces,
          force: message.force))
      RehearsedDeath.at("device-gateway.submitted")
      return .request(reply.request)
    case .resume(let key):
      var parameters = SchedulerMethods.Resume.Parameters(device: device)
      switch key {
      case .id(let id): parameters.request = RequestID(rawValue: id.value)
      case .csrHash(let hash): parameters.csrHash = hash
      case .slot(let slot): parameters.slot = slot.value
      }
      return .request(try await call(SchedulerMethods.Resume.self, parameters).request)
    case .delivered(let id):
      _ = try await call(SchedulerMethods.Delivered.self, .init(device: device, request: RequestID(rawValue: id.value)))
      return .receiptTaken
    case .installed(let receipt):
      _ = try await call(
        SchedulerMethods.Installed.self,
        .init(device: device, request: RequestID(rawValue: receipt.id.value), fingerprint: receipt.fingerprint))
      RehearsedDeath.at("device-gateway.receiptPassed")
      return .receiptTaken
    case .notInstalled(let report):
      _ = try await call(
        SchedulerMethods.Installed.self, .init(device: device, request: RequestID(rawValue: report.id.value), failure: report.errorText))
      return .receiptTaken
    case .answerRenewal(let slot, let answer):
      _ = try await call(SchedulerMethods.AnswerRenewal.self, .init(device: device, slot: slot.value, answer: answer))
      return .receiptTaken
    case .lookAgain:
      _ = try await call(SchedulerMethods.LookAgain.self, .init(device: device))
      return .receiptTaken
    }
  }

  /// Tells who is connected.
  func note(connected devices: [DeviceID]) async throws {
    _ = try await call(SchedulerMethods.NoteConnected.self, .init(devices: devices))
  }

  /// Tells who is refused at the door.
  func note(_ logins: [RefusedLogin]) async throws {
    _ = try await call(SchedulerMethods.NoteRefusedLogins.self, .init(logins: logins))
  }

  /// An error in the words of the device protocol.
  func refusal(for error: any Error) -> Errand.Outcome {
    switch error {
    case let refused as SchedulerMethods.Refused:
      return .refused(ErrorToken(rawValue: refused.error) ?? .internalError, refused.text)
    case is SchedulerMethods.NotFound:
      return .refused(.notFound, "There is no such request of this device; hand in its CSR with RequestCertificate.")
    case is CancellationError:
      return .refused(.busy, "The connector restarts; ask again on a new connection.")
    case _ where Self.isTransient(error):
      if trouble.begins() { logger.log(.serviceUnanswered, "the scheduler does not answer, and devices are told to try again: \(error)") }
      return .refused(.busy, "The connector is not ready; try again in a few seconds.")
    default:
      logger.log(.internalFault, "the scheduler could not be asked", error: error)
      return .refused(.internalError, "The connector could not do that; its log says why.")
    }
  }

  private func call<Method: VarlinkMethod>(_ method: Method.Type, _ parameters: Method.Parameters) async throws -> Method.Reply {
    for pause in pauses {
      do {
        return try await callOnce(method, parameters)
      } catch  where Self.isTransient(error) {
        try await Task.sleep(for: pause)
      }
    }
    return try await callOnce(method, parameters)
  }

  private func callOnce<Method: VarlinkMethod>(_ method: Method.Type, _ parameters: Method.Parameters) async throws -> Method.Reply {
    let reply = try await scheduler.call(method, parameters, timeLimit: callLimit)
    if trouble.ends() { logger.notice("the scheduler answers again") }
    return reply
  }

  /// Whether the scheduler is merely not there for the moment. Every method is idempotent, so it may be called again.
  private static func isTransient(_ error: any Error) -> Bool {
    switch error {
    case is Restarting: true
    case let error as VarlinkError: error.isTransient
    default: false
    }
  }
}
