import ACMEClientAPI
import FoundationEssentials
import PKI
import ServiceLifecycle
import ServiceRuntime

/// Speaks ACME for whoever asks; goes when nobody does.
@main
struct Main {
  static func main() async {
    await ServiceProcess("acme-client", idleExit: .seconds(60)).run { environment in
      let transports = Transports(proxies: ProxyEnvironment(environment.variables))
      let service = try await ACMEClientService(environment, transports: transports)
      return [
        transports, service.openOrders, try environment.varlinkServer([service.interface.handlers, environment.metricsInterface], on: "acme-client"),
      ]
    }
  }
}

/// What the service is made of.
struct ACMEClientService: Sendable {
  let openOrders: OpenOrders
  let interface: ACMEClientInterface

  init(_ environment: ServiceEnvironment, transports: Transports, clock: WallClock = .system) async throws {
    let state = environment.stateDirectory
    let logger = environment.logger
    let directories = Directories(transports: transports, clock: clock, logger: logger)
    let accounts = Accounts(
      directories: directories,
      keys: AccountKeys(folder: state.appending(component: "account-keys")),
      book: AccountBook(folder: state.appending(component: "accounts")),
      credentials: environment.credentials, logger: logger)
    let journal = try OrderJournal(folder: state.appending(component: "orders"), logger: logger)
    openOrders = OpenOrders(open: await journal.all.filter(\.isOpen))
    let responders = Responders(folder: environment.socketDirectory.appending(component: "responders"), clock: clock, logger: logger)
    interface = ACMEClientInterface(
      issuance: Issuance(
        accounts: accounts, journal: journal, openOrders: openOrders, responders: responders, clock: clock, logger: logger),
      journal: journal, openOrders: openOrders, accounts: accounts, directories: directories,
      certificates: IssuedCertificates(accounts: accounts, directories: directories, clock: clock, logger: logger),
      doctor: Doctor(responders: responders, accounts: accounts, directories: directories, clock: clock, logger: logger))
  }
}
