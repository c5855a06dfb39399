/// Why a call did not come to a reply that its interface declares.
public struct VarlinkError: Error, Sendable, CustomStringConvertible {
  /// What went wrong. Open: more may be added.
  public struct Code: RawRepresentable, Sendable, Hashable {
    /// The code's name.
    public let rawValue: String
    /// A code by its name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nobody listens on the socket.
    public static let unreachable = Code(rawValue: "unreachable")
    /// The connection ended before the reply, twice.
    public static let closed = Code(rawValue: "closed")
    /// The call's time limit passed.
    public static let timedOut = Code(rawValue: "timedOut")
    /// A message is longer, or nested deeper, than the limits allow.
    public static let tooLarge = Code(rawValue: "tooLarge")
    /// What came is not a Varlink message, or not of the declared type.
    public static let badMessage = Code(rawValue: "badMessage")
    /// The service has no room for another stream at this moment.
    public static let busy = Code(rawValue: "busy")
    /// The service answered with an error that the interface does not declare; `detail` is its name.
    public static let refused = Code(rawValue: "refused")
  }

  /// What went wrong.
  public let code: Code
  /// The call that it concerns.
  public let method: String
  /// The socket's path, or how the peer is known.
  public let peer: String
  /// The cause, for a person.
  public let detail: String

  /// An error about one call.
  public init(_ code: Code, method: String, peer: String, detail: String) {
    self.code = code
    self.method = method
    self.peer = peer
    self.detail = detail
  }

  /// Whether the same call may be answered in a moment: the service is not there just now, or has no room.
  public var isTransient: Bool { [.unreachable, .closed, .timedOut, .busy].contains(code) }

  /// One sentence: who was called for what, and why there is no answer.
  public var description: String { "\(method) at \(peer): \(detail)" }
}
