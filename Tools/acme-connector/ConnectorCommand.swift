import ArgumentParser
import FoundationEssentials

/// A subcommand: asks a connector and says what it learned. `perform` is apart from `run` so that tests bring a connector and a terminal of their own.
protocol ConnectorCommand: AsyncParsableCommand {
  /// What every subcommand takes.
  var options: ConnectorOptions { get }
  /// Does what the command is for.
  func perform(with connector: Connector, on terminal: Terminal) async throws
}

extension ConnectorCommand {
  /// Does what the command is for, on the connector that the options name, with errors in words for a person.
  func run() async throws {
    do {
      try await perform(with: options.connector, on: .standard)
    } catch let code as ExitCode {
      throw code
    } catch {
      throw CommandError(explaining: error)
    }
  }
}

/// What every subcommand takes.
struct ConnectorOptions: ParsableArguments {
  @Option(
    help: "The folder with the services' sockets; by default $ACME_CONNECTOR_RUNTIME, else /run/acme-connector.", completion: .directory)
  var runtime: String?

  @Flag(help: "Print JSON, for programs.")
  var json = false

  /// The connector that is meant.
  var connector: Connector {
    Connector(directory: runtime ?? ProcessInfo.processInfo.environment["ACME_CONNECTOR_RUNTIME"] ?? "/run/acme-connector")
  }
}
