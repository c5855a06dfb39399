import Glibc

/// Why something that concerns systemd's side of this process could not be done.
public struct SystemdError: Error, Hashable, CustomStringConvertible {
  /// What kind of thing went wrong; open, so that a new kind breaks nobody's switch.
  public struct Code: Hashable, Sendable {
    /// The code's name in logs.
    public let rawValue: String

    /// `LISTEN_FDS` and its companions could not be read.
    public static let inheritance = Code(rawValue: "inheritance")
    /// A descriptor that was passed is no listening stream socket.
    public static let notListening = Code(rawValue: "notListening")
    /// A socket could not be made, bound or listened on.
    public static let bind = Code(rawValue: "bind")
  }

  /// The kind of failure.
  public let code: Code
  /// Which socket or descriptor it is about.
  public let subject: String
  /// What the system said, and what to do where that is known.
  public let cause: String

  /// One sentence for a log.
  public var description: String { "\(subject): \(cause)" }

  init(_ code: Code, _ subject: String, cause: String) {
    self.code = code
    self.subject = subject
    self.cause = cause
  }

  init(_ code: Code, _ subject: String, errno number: CInt) {
    self.init(code, subject, cause: String(cString: strerror(number)))
  }
}
