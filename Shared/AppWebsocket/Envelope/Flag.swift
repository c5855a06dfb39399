/// A boolean property that is left out when it is false, and false when it is left out.
@propertyWrapper
public struct Flag: Codable, Sendable, Hashable {
  /// The boolean.
  public var wrappedValue: Bool

  /// A flag, not set unless said otherwise.
  public init(wrappedValue: Bool = false) {
    self.wrappedValue = wrappedValue
  }
}

// What the compiler writes for a Codable type calls these two for each flag, for they fit better than the general ones.

extension KeyedDecodingContainer {
  func decode(_ type: Flag.Type, forKey key: Key) throws -> Flag {
    Flag(wrappedValue: try decodeIfPresent(Bool.self, forKey: key) ?? false)
  }
}

extension KeyedEncodingContainer {
  mutating func encode(_ flag: Flag, forKey key: Key) throws {
    if flag.wrappedValue { try encode(true, forKey: key) }
  }
}
