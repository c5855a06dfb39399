import FoundationEssentials
import ServiceRuntime
import Systemd
import Testing
import Varlink

@Suite struct ServiceEnvironmentTests {
  @Test("folders are those that the service manager made, of several the first")
  func folders() {
    let environment = ServiceEnvironment(
      name: "scheduler", variables: ["STATE_DIRECTORY": "/s/one:/s/two", "RUNTIME_DIRECTORY": "/r", "ACME_CONNECTOR_RUNTIME": "/sockets"])
    #expect(environment.stateDirectory.path(percentEncoded: false) == "/s/one/")
    #expect(environment.runtimeDirectory.path(percentEncoded: false) == "/r/")
    #expect(environment.connect(to: "responders/challenge-http").path == "/sockets/responders/challenge-http.sock")
  }

  @Test("without them they are where the packages put them")
  func defaults() {
    let environment = ServiceEnvironment(name: "scheduler")
    #expect(environment.stateDirectory.path(percentEncoded: false) == "/var/lib/acme-connector/scheduler/")
    #expect(environment.settingsFile.path(percentEncoded: false) == "/etc/acme-connector/settings.json")
    #expect(environment.connect(to: "scheduler").path == "/run/acme-connector/scheduler.sock")
  }

  @Test("all sockets of the roles are handed out, in the order of the roles, and only once")
  func sockets() throws {
    let (plain, secure, second) = (socket(3, "ws"), socket(4, "wss"), socket(5, "wss"))
    let environment = ServiceEnvironment(name: "device-gateway", sockets: InheritedSockets([plain, secure, second]))
    #expect(try environment.sockets(named: "wss", "ws") == [secure, second, plain])
    #expect(environment.optionalSockets(named: "ws").isEmpty)
    let error = #expect(throws: ServiceRuntimeError.self) { try environment.sockets(named: "ws") }
    #expect(error?.code == .missingSocket)
    #expect(error?.cause.contains("passed: none") == true)
  }

  @Test("a role that may be left out has no sockets then")
  func optional() {
    #expect(ServiceEnvironment(name: "device-gateway").optionalSockets(named: "ws").isEmpty)
  }

  private func socket(_ descriptor: CInt, _ name: String) -> ListeningSocket { ListeningSocket(descriptor: descriptor, name: name) }
}
