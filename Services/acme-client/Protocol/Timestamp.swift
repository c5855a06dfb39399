import PKI

/// A time as RFC 3339 writes it (RFC 8555, section 7.1.3). One that cannot be read is no reason to refuse the object it stands in.
struct Timestamp: Decodable, Sendable, Hashable {
  let instant: Instant?

  init(from decoder: any Decoder) throws {
    instant = Self.parse(try decoder.singleValueContainer().decode(String.self))
  }

  /// The moment that a `date-time` names (RFC 3339, section 5.6), to the millisecond: `2026-11-24T15:00:00Z`, with a fraction of any length,
  /// with an offset from UTC, in either case. Nil if it is none.
  static func parse(_ text: String) -> Instant? {
    guard text.utf8.count <= 64, text.utf8.allSatisfy({ $0 < 0x80 }),
      let parts = text.wholeMatch(of: #/(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))/#)?.output
    else { return nil }
    func number(_ digits: Substring?) -> Int { digits.flatMap { Int($0) } ?? 0 }
    let time = CivilTime(
      year: number(parts.1), month: number(parts.2), day: number(parts.3), hour: number(parts.4), minute: number(parts.5), second: number(parts.6))
    let milliseconds = number(((parts.7 ?? "") + "000").prefix(3))
    let offset = (hours: number(parts.9), minutes: number(parts.10))
    guard let local = time.instant, offset.hours <= 23, offset.minutes <= 59 else { return nil }
    let east = Duration.seconds((offset.hours * 60 + offset.minutes) * 60)
    return (parts.8 == "-" ? local + east : local - east) + .milliseconds(milliseconds)
  }
}
