import ArgumentParser
import PKI

extension Instant {
  /// The moment to the second, in UTC, alike in every locale: `2026-11-23T12:29:00Z`.
  var text: String { description.prefix(19) + "Z" }

  /// The moment, and how far away it is: `2026-12-23T10:00:00Z (in 29 days)`.
  func text(at now: Instant) -> String { "\(text) (\(distance(from: now)))" }

  /// How far away the moment is, in the largest unit that says enough: `in 29 days`, `3 hours ago`, `now`.
  func distance(from now: Instant) -> String {
    let seconds = abs(milliseconds - now.milliseconds) / 1000
    let (count, unit): (Int64, String) =
      switch seconds {
      case 0: (0, "")
      case ..<90: (seconds, "second")
      case ..<(90 * 60): (seconds / 60, "minute")
      case ..<(48 * 3600): (seconds / 3600, "hour")
      case ..<(730 * 86400): (seconds / 86400, "day")
      default: (seconds / (365 * 86400), "year")
      }
    guard count > 0 else { return "now" }
    let amount = "\(count) \(unit)\(count == 1 ? "" : "s")"
    return self > now ? "in \(amount)" : "\(amount) ago"
  }
}

/// A length of time as a person writes it: a whole number and one of s, m, h, d, w.
struct TimeSpan: Hashable, Sendable, ExpressibleByArgument {
  /// The most that makes sense here: ten years.
  static let longest = Duration.seconds(3650 * 86400)

  /// How long it is.
  let duration: Duration

  /// The length that `text` spells, or nil if it is none, zero, or longer than ten years.
  init?(argument text: String) {
    let seconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400]
    guard let unit = text.last.flatMap({ seconds[$0] }), text.dropLast().allSatisfy({ $0.isASCII && $0.isNumber }),
      let count = Int64(text.dropLast()), count > 0, count <= Self.longest.components.seconds / unit
    else { return nil }
    self.duration = .seconds(count * unit)
  }
}
