import ArgumentParser

/// The reference device, and the client of the connector for any Linux host.
@main
struct ACMEDevice: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acme-device", abstract: "Obtains certificates from an acme-connector for the host it runs on.", subcommands: [EnrollCommand.self])
}
