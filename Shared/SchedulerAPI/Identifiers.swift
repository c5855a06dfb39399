/// The connector's own id of a device: opaque, made by the scheduler.
public struct DeviceID: RawRepresentable, Codable, Sendable, Hashable, CustomStringConvertible {
  /// The id's text.
  public let rawValue: String
  /// An id as it came.
  public init(rawValue: String) { self.rawValue = rawValue }
  /// The id's text.
  public var description: String { rawValue }
}

/// The id of a request, made by the scheduler: the key between the services, and what a device knows it by.
public struct RequestID: RawRepresentable, Codable, Sendable, Hashable, CustomStringConvertible {
  /// The id's text, at most 64 characters.
  public let rawValue: String
  /// An id as it came.
  public init(rawValue: String) { self.rawValue = rawValue }
  /// The id's text.
  public var description: String { rawValue }
}
