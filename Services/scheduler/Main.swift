import FoundationEssentials
import Logging
import PKI
import SchedulerAPI
import ServiceLifecycle
import ServiceRuntime
import Telemetry
import Varlink

/// The scheduler: remembers devices, names, requests and certificates, and decides who is served when.
@main
struct Main {
  static func main() async {
    if let command = MaintenanceCommand(CommandLine.arguments) { command.run() }
    await ServiceProcess("scheduler").run { environment in
      let clock = WallClock.system
      let store = try Store(at: Store.file(in: environment), clock: clock, logger: environment.logger)
      if store.wasEmptied {
        environment.logger.log(
          .fileDamaged, "the database was empty: no device, name or certificate is known any more",
          metadata: [.file: Store.file(in: environment).path(percentEncoded: false)])
      }
      let settings = try LiveSettings(
        stored: try store.storedSettings(), file: environment.settingsFile, variables: environment.variables, logger: environment.logger)
      let fleet = Fleet(
        store: store, settings: settings, watched: Watched(), board: OrderBoard(), clock: clock, chance: .system, logger: environment.logger,
        publicSuffixes: .installed(logger: environment.logger))
      try await fleet.recogniseRestore()
      try await fleet.sweep()
      environment.onReload { try fleet.reloadSettings() }
      let client = environment.connect(to: "acme-client")
      return [
        OrderQueue(fleet: fleet, client: client),
        try environment.varlinkServer([SchedulerInterface(fleet: fleet).handlers], on: "scheduler"),
        try environment.varlinkServer(
          [AdminInterface(fleet: fleet, client: client, startedAt: clock.now()).handlers, environment.metricsInterface], on: "scheduler-admin"),
      ]
    }
  }
}
