import SchedulerAPI
import Telemetry
import Varlink

extension VarlinkInterfaceHandlers {
  /// What devices do, as the gateway passes it on.
  static func scheduler(_ fleet: Fleet) -> VarlinkInterfaceHandlers {
    typealias Methods = SchedulerMethods
    return VarlinkInterfaceHandlers(
      .scheduler,
      [
        .reply(Methods.Register.self) { call, _ in
          try await fleet.answer(.devices) {
            let device = try await fleet.register(call.identity, description: call.description)
            return .init(device: device, settings: fleet.settings.current.devices)
          }
        },
        .reply(Methods.Submit.self) { call, _ in
          try await fleet.answer(.devices) {
            let application = Fleet.Application(
              csr: call.csr, slot: call.slot, dnsNames: call.dnsNames, replaces: call.replaces, force: call.force)
            return .init(request: try await fleet.submit(application, of: call.device))
          }
        },
        .reply(Methods.Resume.self) { call, _ in
          try await fleet.answer(.devices) {
            .init(request: try await fleet.resume(call.device, request: call.request, csrHash: call.csrHash, slot: call.slot))
          }
        },
        .reply(Methods.Delivered.self) { call, _ in
          try await fleet.answer(.devices) {
            try await fleet.noteDelivered(call.request, to: call.device)
            return .init()
          }
        },
        .reply(Methods.Installed.self) { call, _ in
          try await fleet.answer(.devices) {
            if let failure = call.failure {
              try await fleet.noteInstallFailure(failure, for: call.request, of: call.device)
            } else if let fingerprint = call.fingerprint {
              try await fleet.confirm(fingerprint, for: call.request, of: call.device)
            } else {
              throw Refusal(.missingProperty, "A receipt needs the fingerprint of the installed certificate, or why it is not installed.")
            }
            return .init()
          }
        },
        .reply(Methods.AnswerRenewal.self) { call, _ in
          try await fleet.answer(.devices) {
            try await fleet.noteAnswer(call.answer, slot: call.slot, of: call.device)
            return .init()
          }
        },
        .reply(Methods.NoteConnected.self) { call, _ in
          try await fleet.answer(.devices) {
            try await fleet.noteConnected(call.devices)
            return .init()
          }
        },
        .reply(Methods.NoteRefusedLogins.self) { call, _ in
          try await fleet.answer(.devices) {
            try await fleet.noteRefused(call.logins)
            return .init()
          }
        },
        .reply(Methods.LookAgain.self) { call, _ in
          try await fleet.answer(.devices) {
            try await fleet.lookAgain(at: call.device)
            return .init()
          }
        },
        .stream(Methods.Watch.self) { _, _, replies in
          // The settings come at once: who has them is being watched for.
          let changes = fleet.watched.changes.open(first: [.init(fleet.settings.current)])
          do {
            for try await change in changes { try await replies.send(change) }
          } catch is Subscriptions<Watched.Change>.Overflow {
            throw Methods.Resync()
          }
          throw Restarting()
        },
      ])
  }
}
