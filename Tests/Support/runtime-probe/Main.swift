import FoundationEssentials
import ServiceRuntime
import Systemd
import Varlink

/// A service with nothing of its own to do, for tests of what all services have in common.
@main struct Main {
  static func main() async {
    let limit = ProcessInfo.processInfo.environment["PROBE_IDLE_MILLISECONDS"].flatMap(Int.init)
    await ServiceProcess("runtime-probe", idleExit: limit.map { .milliseconds($0) }).run { environment in
      RehearsedDeath.at("probe.starting")
      environment.onReload {
        guard environment.variables["PROBE_RELOAD_FAILS"] == nil else { throw BadSettings() }
      }
      if let path = environment.variables["PROBE_FILE"] { try AtomicFile(URL(filePath: path)).write([1]) }
      return [try environment.varlinkServer([.probe, environment.metricsInterface], on: "probe")]
    }
  }
}

struct BadSettings: Error, CustomStringConvertible {
  var description: String { "the settings are bad\nREADY=1" }
}

extension VarlinkInterface {
  static let probe = VarlinkInterface("org.acmeconnector.Probe", text: Array(text.utf8))

  private static let text = """
    # What a test wants of a service.
    interface org.acmeconnector.Probe

    # Answers after some time, which it tells the service manager it has begun.
    method Wait(milliseconds: int) -> ()
    """
}

extension VarlinkInterfaceHandlers {
  fileprivate static var probe: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(
      .probe,
      [
        .reply(Wait.self) { parameters, _ in
          ServiceNotification.send(.status("waiting"))
          try await Task.sleep(for: .milliseconds(parameters.milliseconds))
          return NoMembers()
        }
      ])
  }
}

struct Wait: VarlinkMethod {
  static let interface = VarlinkInterface.probe
  struct Parameters: Codable, Sendable { var milliseconds: Int }
  typealias Reply = NoMembers
}
