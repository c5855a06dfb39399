public import FoundationEssentials

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z, from there to the end of the year 9999.
///
/// That end is what RFC 5280 (section 4.1.2.5) takes for "no end". What lies outside is drawn to the nearer end, so that no sum of a hostile
/// number overflows.
public struct Instant: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The first moment: 1970-01-01T00:00:00.000Z.
  public static let earliest = Instant(milliseconds: 0)
  /// The last moment: 9999-12-31T23:59:59.999Z.
  public static let latest = Instant(milliseconds: 253_402_300_799_999)

  /// Milliseconds since 1970, UTC, without leap seconds.
  public let milliseconds: Int64

  /// The moment so many milliseconds after 1970-01-01T00:00:00Z.
  public init(milliseconds: Int64) {
    self.milliseconds = min(max(milliseconds, 0), 253_402_300_799_999)
  }

  /// The moment of a date, rounded to milliseconds.
  public init(_ date: Date) {
    let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
    self.init(milliseconds: Int64(exactly: milliseconds) ?? (milliseconds > 0 ? .max : .min))
  }

  /// The moment as Foundation has it.
  public var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

  /// The moment in the form of RFC 3339, with milliseconds: `2026-11-23T12:29:00.000Z`.
  public var description: String {
    // Seconds and milliseconds apart: the formatter cuts off what a Double cannot hold exactly, and .123 would become .122.
    let seconds = Date(timeIntervalSince1970: Double(milliseconds / 1000)).formatted(.iso8601)
    return "\(seconds.dropLast()).\(String(1000 + milliseconds % 1000).dropFirst())Z"
  }

  /// Earlier is less.
  public static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }

  /// The moment that much later; a fraction of a millisecond is dropped.
  public static func + (instant: Instant, duration: Duration) -> Instant {
    let (sum, overflow) = instant.milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
    return Instant(milliseconds: overflow ? .max : sum)
  }

  /// The moment that much earlier; a fraction of a millisecond is dropped.
  public static func - (instant: Instant, duration: Duration) -> Instant {
    let (difference, overflow) = instant.milliseconds.subtractingReportingOverflow(duration.wholeMilliseconds)
    return Instant(milliseconds: overflow ? .max : difference)
  }

  /// The time from `right` to `left`, negative if `left` is the earlier one.
  public static func - (left: Instant, right: Instant) -> Duration {
    .milliseconds(left.milliseconds - right.milliseconds)
  }
}

extension Instant: Codable {
  /// Reads milliseconds since 1970; a number outside the range of an instant fails.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let milliseconds = try container.decode(Int64.self)
    self.init(milliseconds: milliseconds)
    guard self.milliseconds == milliseconds else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "No time between 1970 and 9999, in milliseconds.")
    }
  }

  /// Writes milliseconds since 1970.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(milliseconds)
  }
}

extension Duration {
  /// Whole milliseconds, towards zero; a duration beyond 292 million years counts as that.
  fileprivate var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    let (sum, overflowOfSum) = milliseconds.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
    return overflow || overflowOfSum ? (seconds < 0 ? .min : .max) : sum
  }
}
