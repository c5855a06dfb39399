public import Telemetry

/// A method of a Varlink interface, as both ends see it. Its name is that of the type, so that the interface text, the
/// type and the call site read alike.
public protocol VarlinkMethod: Sendable {
  /// What the caller sends, member for member as the interface text declares it.
  associatedtype Parameters: Codable & Sendable
  /// What one reply carries.
  associatedtype Reply: Codable & Sendable
  /// The interface that declares the method.
  static var interface: VarlinkInterface { get }
}

extension VarlinkMethod {
  /// The method's name inside its interface. Not by `String(describing:)`, which looks through all conformances of the executable for each type.
  public static var name: String { _typeName(Self.self, qualified: false) }
  /// The name on the wire: interface, dot, method.
  public static var qualifiedName: String { "\(interface.name).\(name)" }
}

/// An error that an interface declares. Its name is that of the type, its members are the error's parameters.
public protocol VarlinkFault: Error, Codable, Sendable {}

extension VarlinkFault {
  /// The error's name inside its interface.
  public static var name: String { _typeName(Self.self, qualified: false) }
}

/// Parameters that carry a trace context. The client fills it from the current task, the server puts it into the task
/// that serves the call, so that one id runs through all services by itself.
public protocol Traced: Sendable {
  /// The caller's W3C trace context.
  var trace: TraceContext? { get set }
}

/// Parameters that say besides which trace categories are on for what the call is about. Client and server treat them as the trace context.
public protocol CloselyTraced: Traced {
  /// The categories that are on; none if nil.
  var traced: [TraceCategory]? { get set }
}

/// The parameters or the reply of a method that has none.
public struct NoMembers: Codable, Sendable, Hashable {
  /// An empty object.
  public init() {}
}

/// The parameters of a method that declares nothing but `trace`.
public struct OnlyTrace: Codable, Sendable, Hashable, Traced {
  /// The caller's W3C trace context.
  public var trace: TraceContext?

  /// Parameters that take the trace of the calling task.
  public init(trace: TraceContext? = nil) {
    self.trace = trace
  }
}

/// The service is ending and another process takes over: call again, and what was under way is taken up.
public struct Restarting: VarlinkFault, Hashable {
  /// The error has no parameters.
  public init() {}
}
