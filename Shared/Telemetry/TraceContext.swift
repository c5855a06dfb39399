/// Where in which story a piece of work belongs: a W3C Trace Context (https://www.w3.org/TR/trace-context/), version 00.
///
/// One trace id joins everything that one cause set off, in all services; a span id names one step of it. On the wire and in the store it is the
/// 55-character `traceparent`: `00-<32 hex trace id>-<16 hex span id>-<2 hex flags>`.
public struct TraceContext: Sendable, Hashable {
  /// 32 lowercase hexadecimal digits, not all zero.
  public let traceID: String
  /// 16 lowercase hexadecimal digits, not all zero.
  public let spanID: String
  /// Bit 0 is "sampled"; the others are reserved and passed on as they came.
  public let flags: UInt8

  /// What the task at hand works for. Log records and outgoing calls take it from here.
  @TaskLocal public static var current: TraceContext?

  private init(traceID: String, spanID: String, flags: UInt8) {
    self.traceID = traceID
    self.spanID = spanID
    self.flags = flags
  }

  /// Reads a `traceparent`. Nil for anything but version 00 as the specification writes it: a trace is never worth guessing at.
  public init?(traceparent: String) {
    let text = traceparent.utf8
    guard text.count == 55 else { return nil }
    let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.map(\.count) == [2, 32, 16, 2], parts.allSatisfy({ $0.allSatisfy(Self.isLowercaseHexDigit) }) else { return nil }
    let zero = UInt8(ascii: "0")
    guard parts[0].allSatisfy({ $0 == zero }), !parts[1].allSatisfy({ $0 == zero }), !parts[2].allSatisfy({ $0 == zero }) else { return nil }
    guard let flags = UInt8(String(Substring(parts[3])), radix: 16) else { return nil }
    self.init(traceID: String(Substring(parts[1])), spanID: String(Substring(parts[2])), flags: flags)
  }

  /// The `traceparent` that names this context to another process.
  public var traceparent: String { "00-\(traceID)-\(spanID)-\(Self.hex(UInt64(flags), digits: 2))" }

  /// Whether somebody wants to see it in detail: the flag "sampled".
  public var isSampled: Bool { flags & 1 == 1 }

  /// A new trace, not sampled, with its first span.
  public static func make(using generator: inout some RandomNumberGenerator) -> TraceContext {
    let traceID = hex(generator.next(), digits: 16) + hex(.random(in: 1 ... .max, using: &generator), digits: 16)
    return TraceContext(traceID: traceID, spanID: newSpanID(using: &generator), flags: 0)
  }

  /// A new trace, not sampled, with its first span.
  public static func make() -> TraceContext {
    var generator = SystemRandomNumberGenerator()
    return make(using: &generator)
  }

  /// The next step of the same trace: a new span id, all else kept.
  public func child(using generator: inout some RandomNumberGenerator) -> TraceContext {
    TraceContext(traceID: traceID, spanID: Self.newSpanID(using: &generator), flags: flags)
  }

  /// The next step of the same trace: a new span id, all else kept.
  public func child() -> TraceContext {
    var generator = SystemRandomNumberGenerator()
    return child(using: &generator)
  }

  /// The same step of the same trace, sampled or not.
  public func sampled(_ isSampled: Bool) -> TraceContext {
    TraceContext(traceID: traceID, spanID: spanID, flags: isSampled ? flags | 1 : flags & ~1)
  }

  private static func newSpanID(using generator: inout some RandomNumberGenerator) -> String {
    hex(.random(in: 1 ... .max, using: &generator), digits: 16)
  }

  private static func hex(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
  }

  private static func isLowercaseHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
    default: false
    }
  }
}

extension TraceContext: CustomStringConvertible {
  /// The `traceparent`.
  public var description: String { traceparent }
}

/// As the `traceparent` string; decoding refuses what is none.
extension TraceContext: Codable {
  /// Reads the string.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let context = TraceContext(traceparent: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a W3C traceparent of version 00")
    }
    self = context
  }

  /// Writes the string.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(traceparent)
  }
}
