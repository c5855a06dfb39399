import SchedulerAPI
import Telemetry
import Varlink

/// `org.acmeconnector.Scheduler` as it is served: what devices do, as the gateway passes it on.
struct SchedulerInterface: Sendable {
  private typealias Methods = SchedulerMethods

  let fleet: Fleet

  private var calls: FleetCalls { FleetCalls(fleet: fleet, words: .devices) }

  var handlers: VarlinkInterfaceHandlers { VarlinkInterfaceHandlers(.scheduler, requests + renewals + presence + [watch]) }

  private var requests: [VarlinkHandler] {
    [
      calls.reply(Methods.Submit.self) { call in
        let application = Fleet.Application(
          csr: call.csr, slot: call.slot, dnsNames: call.dnsNames, replaces: call.replaces, force: call.force)
        return .init(request: try await fleet.submit(application, of: call.device))
      },
      calls.reply(Methods.Resume.self) {
        .init(request: try await fleet.resume($0.device, request: $0.request, csrHash: $0.csrHash, slot: $0.slot))
      },
      calls.reply(Methods.Delivered.self) { try await fleet.noteDelivered($0.request, to: $0.device) },
      calls.reply(Methods.Installed.self) { call in
        if let failure = call.failure {
          try await fleet.noteInstallFailure(failure, for: call.request, of: call.device)
        } else if let fingerprint = call.fingerprint {
          try await fleet.confirm(fingerprint, for: call.request, of: call.device)
        } else {
          throw Refusal(.missingProperty, "A receipt needs the fingerprint of the installed certificate, or why it is not installed.")
        }
      },
    ]
  }

  private var renewals: [VarlinkHandler] {
    [
      calls.reply(Methods.AnswerRenewal.self) { try await fleet.noteAnswer($0.answer, slot: $0.slot, of: $0.device) },
      calls.reply(Methods.LookAgain.self) { try await fleet.lookAgain(at: $0.device) },
    ]
  }

  private var presence: [VarlinkHandler] {
    [
      calls.reply(Methods.Register.self) { call in
        let device = try await fleet.register(call.identity, description: call.description)
        return .init(device: device, settings: fleet.settings.current.devices)
      },
      calls.reply(Methods.NoteConnected.self) { try await fleet.noteConnected($0.devices) },
      calls.reply(Methods.NoteRefusedLogins.self) { try await fleet.noteRefused($0.logins) },
    ]
  }

  private var watch: VarlinkHandler {
    .stream(Methods.Watch.self) { _, _, replies in
      // The settings come at once: who has them is being watched for.
      let changes = fleet.watched.changes.open(first: [.init(fleet.settings.current)])
      do {
        for try await change in changes { try await replies.send(change) }
      } catch is Subscriptions<Watched.Change>.Overflow {
        throw Methods.Resync()
      }
      throw Restarting()
    }
  }
}
