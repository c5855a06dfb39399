import DeviceGatewayAPI
import Glibc
import SchedulerAPI
import Varlink

extension [String] {
  /// The ids for a sentence: all if they are few.
  var summary: String {
    count <= 10 ? joined(separator: ", ") : prefix(10).joined(separator: ", ") + " and \(count - 10) more"
  }
}

/// Why a command did not do what it was asked for, as one sentence for a person.
struct CommandError: Error, CustomStringConvertible {
  /// The sentence, without what could steer a terminal.
  let description: String

  /// An error by its sentence.
  init(_ sentence: String) {
    self.description = sentence.printable
  }

  /// The sentence for an error of any origin: here the services' words become a person's, and nowhere else.
  init(explaining error: any Error) {
    switch error {
    case let error as CommandError: self = error
    case let error as AdminMethods.Refused: self.init((error.name.map { "\($0): " } ?? "") + error.text)
    case let error as AdminMethods.NotFound: self.init(missing: error)
    case let error as Logins.Refused: self.init(error.text)
    case is Restarting: self.init("The service is being restarted; try again in a moment.")
    case let error as VarlinkError where error.code == .unreachable: self.init(unreachable: error.peer)
    case let error as VarlinkError where error.code == .timedOut: self.init(unanswered: error)
    case let error as VarlinkError where error.detail.hasPrefix("org.acmeconnector.InternalError"):
      self.init("The service could not do it, and its log says why (\(error.method)).")
    default: self.init("\(error)")
    }
  }

  private init(unreachable path: String) {
    if access(path, F_OK) != 0 {
      self.init("There is no connector at \(path); start it, or name its folder with --runtime.")
    } else if access(path, W_OK) != 0 {
      self.init("You may not open \(path); run the command as root, or as a member of the group that owns the socket.")
    } else {
      self.init("Nobody answers at \(path); is the connector running?")
    }
  }

  /// systemd takes calls also for a service that cannot start.
  private init(unanswered error: VarlinkError) {
    let service = ServiceName.allCases.first { error.peer.hasSuffix("/\($0.socket)") }?.rawValue
    self.init(
      service.map {
        "\($0) gives \(error.detail). If it cannot start, its journal says why: `journalctl -n 20 -u acme-connector-\($0).service`."
      } ?? "\(error)")
  }

  private init(missing error: AdminMethods.NotFound) {
    let thing = [error.what, error.which].compactMap(\.self).joined(separator: " ")
    let list: String? =
      switch error.what {
      case "device": "devices"
      case "request", "certificate": "certificates list --all"
      case "claim": "names"
      default: nil
      }
    self.init("There is no \(thing)\(list.map { "; `acme-connector \($0)` shows what there is" } ?? "").")
  }
}
