import Glibc

/// Why a service could not start, or could not keep what it must keep.
public struct ServiceRuntimeError: Error, Hashable, CustomStringConvertible {
  /// What kind of thing went wrong; open, so that a new kind breaks nobody's switch.
  public struct Code: Hashable, Sendable {
    /// The code's name in logs.
    public let rawValue: String

    /// A socket the service needs was not passed to it.
    public static let missingSocket = Code(rawValue: "missingSocket")
    /// Something else that the process was given at its launch is wrong: a credential, a variable of its environment.
    public static let badLaunch = Code(rawValue: "badLaunch")
    /// A file or folder could not be read or written.
    public static let file = Code(rawValue: "file")
    /// A file is larger than it may be.
    public static let tooLarge = Code(rawValue: "tooLarge")
    /// A name that would leave its folder, or is none.
    public static let badName = Code(rawValue: "badName")
  }

  /// The kind of failure.
  public let code: Code
  /// Which file, socket or name it is about.
  public let subject: String
  /// What happened, and what to do where that is known.
  public let cause: String

  /// One sentence for a log.
  public var description: String { "\(subject): \(cause)" }

  /// What the process was given at its launch is wrong.
  ///
  /// - Parameters:
  ///   - subject: Which credential or variable.
  ///   - cause: What is wrong with it, and what to do.
  public static func launch(_ subject: String, cause: String) -> ServiceRuntimeError { ServiceRuntimeError(.badLaunch, subject, cause: cause) }

  /// Whether it stays as it is until another process is started: nothing else is given other sockets, credentials and variables.
  var isOfLaunch: Bool { [.missingSocket, .badLaunch].contains(code) }

  init(_ code: Code, _ subject: String, cause: String) {
    self.code = code
    self.subject = subject
    self.cause = cause
  }

  /// What `errno` says now about a file, and what to do.
  static func file(_ path: String, doing action: String) -> ServiceRuntimeError {
    let number = errno
    let remedy = Self.remedy(for: number).map { "; \($0)" } ?? ""
    return ServiceRuntimeError(.file, path, cause: "cannot \(action): \(String(cString: strerror(number)))\(remedy)")
  }

  private static func remedy(for number: CInt) -> String? {
    switch number {
    case ENOSPC, EDQUOT: "make room on its disk"
    case EROFS: "see why its disk is read-only, and mount it for writing"
    case EACCES, EPERM: "give it, and the folder it is in, back to the service's user"
    default: nil
    }
  }
}
