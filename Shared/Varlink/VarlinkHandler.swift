import NIOCore
import Telemetry

/// A call as its handler sees it.
public struct VarlinkCall: Sendable {
  /// The socket's name, which says what the caller may do.
  public let listener: String
  /// Whether the caller takes more than one reply.
  public let wantsMore: Bool
}

/// Where a streaming handler sends its replies; the one it returns is the last.
public struct VarlinkReplies<Value: Codable & Sendable>: Sendable {
  let write: @Sendable (Value) async throws -> Void

  /// Sends one reply and says that more follow. Waits while the caller does not read.
  public func send(_ value: Value) async throws {
    try await write(value)
  }
}

/// What serves one method.
public struct VarlinkHandler: Sendable {
  let method: String
  let isStream: Bool
  let requiresMore: Bool
  /// Decodes, calls and encodes the last reply; earlier ones go through the function given.
  let serve: @Sendable (ByteBuffer, VarlinkCall, MessageCoding, @escaping @Sendable (ByteBuffer) async throws -> Void) async throws -> ByteBuffer

  /// A method with one reply.
  public static func reply<Method: VarlinkMethod>(
    _ method: Method.Type,
    _ body: @escaping @Sendable (Method.Parameters, VarlinkCall) async throws -> Method.Reply
  ) -> VarlinkHandler {
    VarlinkHandler(method: Method.qualifiedName, isStream: false, requiresMore: false) { message, call, coding, _ in
      let parameters = try parameters(of: method, in: message, coding)
      let reply = try await inTrace(of: parameters) { try await body(parameters, call) }
      return try coding.encode(Reply(parameters: reply))
    }
  }

  /// A method with many replies. It is cancelled when the caller goes away, and when the service ends.
  /// `requiresMore`: a caller that did not ask for more is refused.
  public static func stream<Method: VarlinkMethod>(
    _ method: Method.Type,
    requiresMore: Bool = true,
    _ body: @escaping @Sendable (Method.Parameters, VarlinkCall, VarlinkReplies<Method.Reply>) async throws -> Method.Reply
  ) -> VarlinkHandler {
    VarlinkHandler(method: Method.qualifiedName, isStream: true, requiresMore: requiresMore) { message, call, coding, write in
      let parameters = try parameters(of: method, in: message, coding)
      let replies = VarlinkReplies<Method.Reply> { value in
        guard call.wantsMore else { throw ServiceFault.expectedMore }
        try await write(coding.encode(Reply(parameters: value, continues: true)))
      }
      let last = try await inTrace(of: parameters) { try await body(parameters, call, replies) }
      return try coding.encode(Reply(parameters: last))
    }
  }

  private static func parameters<Method: VarlinkMethod>(of: Method.Type, in message: ByteBuffer, _ coding: MessageCoding) throws -> Method.Parameters
  {
    do {
      return try coding.decode(Body<Method.Parameters>.self, from: message).parameters
    } catch let error as DecodingError {
      throw ServiceFault.invalidParameter(error.member)
    }
  }

  private static func inTrace<Value: Sendable>(of parameters: some Sendable, _ body: @Sendable () async throws -> Value) async throws -> Value {
    let categories = Set((parameters as? any CloselyTraced)?.traced ?? [])
    let trace = (parameters as? any Traced)?.trace
    return try await TraceCategory.$current.withValue(categories) {
      try await TraceContext.$current.withValue(trace ?? .current, operation: body)
    }
  }
}

/// An interface and what serves its methods.
public struct VarlinkInterfaceHandlers: Sendable {
  /// The interface.
  public let interface: VarlinkInterface
  let handlers: [VarlinkHandler]

  /// Handlers of one interface; a declared method without one is answered `MethodNotImplemented`.
  public init(_ interface: VarlinkInterface, _ handlers: [VarlinkHandler]) {
    self.interface = interface
    self.handlers = handlers
  }
}

extension DecodingError {
  /// The parameter that could not be read, as a path inside `parameters`.
  fileprivate var member: String {
    let path: [any CodingKey] =
      switch self {
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): context.codingPath
      case .keyNotFound(let key, let context): context.codingPath + [key]
      @unknown default: []
      }
    let names = path.drop { $0.stringValue == "parameters" }.map { key in key.intValue.map(String.init) ?? key.stringValue }
    return names.isEmpty ? "parameters" : names.joined(separator: ".")
  }
}
