import Glibc

/// Why a service could not start, or could not keep what it must keep.
public struct ServiceRuntimeError: Error, Hashable, CustomStringConvertible {
  /// What kind of thing went wrong; open, so that a new kind breaks nobody's switch.
  public struct Code: Hashable, Sendable {
    /// The code's name in logs.
    public let rawValue: String

    /// A socket the service needs was not passed to it.
    public static let missingSocket = Code(rawValue: "missingSocket")
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

  init(_ code: Code, _ subject: String, cause: String) {
    self.code = code
    self.subject = subject
    self.cause = cause
  }

  /// What `errno` says now about a file.
  static func file(_ path: String, doing action: String) -> ServiceRuntimeError {
    ServiceRuntimeError(.file, path, cause: "cannot \(action): \(String(cString: strerror(errno)))")
  }
}
