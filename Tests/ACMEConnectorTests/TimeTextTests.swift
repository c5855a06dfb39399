import PKI
import Testing

@testable import ACMEConnectorCommand

@Suite("Times")
struct TimeTextTests {
  private let now = TestConnector.now

  @Test(
    "a distance is told in the largest unit that says enough",
    arguments: [
      (0, "now"), (1, "in 1 second"), (89, "in 89 seconds"), (-90, "1 minute ago"), (5400, "in 1 hour"), (47 * 3600, "in 47 hours"),
      (29 * 86400, "in 29 days"), (-400 * 86400, "400 days ago"), (1000 * 86400, "in 2 years"),
    ] as [(Int64, String)])
  func distances(seconds: Int64, text: String) {
    #expect((now + .seconds(seconds)).distance(from: now) == text)
  }

  @Test("a time is written in UTC, to the second")
  func text() {
    #expect((now + .milliseconds(86_400_999)).text(at: now) == "2026-11-24T12:00:00Z (in 24 hours)")
  }

  @Test(
    "a span is a whole number with its unit",
    arguments: [("45s", 45), ("30m", 1800), ("12h", 43200), ("7d", 604_800), ("2w", 1_209_600)] as [(String, Int64)])
  func spans(text: String, seconds: Int64) {
    #expect(TimeSpan(argument: text)?.duration == .seconds(seconds))
  }

  @Test(
    "what is no span, or too long a one, is refused",
    arguments: ["", "7", "d", "-1d", "0d", "1.5h", "7x", "٧d", "4000d", "9999999999999999999w"])
  func noSpans(text: String) {
    #expect(TimeSpan(argument: text) == nil)
  }
}
