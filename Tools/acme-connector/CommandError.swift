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
    case let error as AdminMethods.Refused: self.init(Self.sentence(error.error, error.text, about: error.name.map { "\($0)" }))
    case let error as AdminMethods.NotFound: self.init("There is no such thing: \(error.what).")
    case let error as Logins.Refused: self.init(Self.sentence(error.error, error.text))
    case is Restarting: self.init("The service is being restarted; try again in a moment.")
    case let error as VarlinkError where error.code == .unreachable: self.init(unreachable: error.peer)
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

  private static func sentence(_ code: String, _ text: String, about name: String? = nil) -> String {
    let subject = name.map { "\($0): " } ?? ""
    return "\(subject)\(text) (\(code))"
  }
}
