import ArgumentParser

/// The administrator's command: asks the services over their Varlink sockets and shows what they answer.
@main
struct ACMEConnector: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acme-connector",
    abstract: "Shows and steers the connector between ACME authorities and devices.",
    discussion: """
      Every subcommand takes --json, for programs: the members of the service's reply as they are, one object per line. \
      Exit codes: 0 done, 1 refused or not reachable, 2 the doctor found something wrong, 64 wrong usage.
      """,
    subcommands: [
      SetupCommand.self, StatusCommand.self, DevicesCommand.self, NamesCommand.self, CertificatesCommand.self, EventsCommand.self,
      AlarmsCommand.self, PlanCommand.self, DoctorCommand.self, RenewCommand.self, CampaignsCommand.self, RevokeCommand.self, AccountCommand.self,
      RequestCommand.self, SettingsCommand.self, LoginsCommand.self, MetricsCommand.self, TraceCommand.self,
    ])
}
