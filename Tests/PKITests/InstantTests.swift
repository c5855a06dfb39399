import Foundation
import PKI
import Testing

@Suite("An instant")
struct InstantTests {
  @Test("is written as RFC 3339 says, with milliseconds")
  func description() {
    #expect(Instant(milliseconds: 1_767_225_600_123).description == "2026-01-01T00:00:00.123Z")
    #expect(Instant.earliest.description == "1970-01-01T00:00:00.000Z")
    #expect(Instant.latest.description == "9999-12-31T23:59:59.999Z")
  }

  @Test("moves by durations, and two of them are a duration apart")
  func arithmetic() {
    let noon = Instant(milliseconds: 1_767_268_800_000)
    #expect((noon + .seconds(1.5)).milliseconds == 1_767_268_801_500)
    #expect((noon - .milliseconds(1)).milliseconds == 1_767_268_799_999)
    #expect((noon + .seconds(90)) - noon == .seconds(90))
    #expect(noon - (noon + .seconds(90)) == .seconds(-90))
    #expect(noon < noon + .milliseconds(1))
  }

  @Test(
    "stays within 1970 and 9999 whatever is added",
    arguments: [
      (Duration.seconds(Int64.max), Instant.latest), (.seconds(Int64.min), .earliest),
      (Duration(secondsComponent: Int64.max / 1000, attosecondsComponent: 999_999_999_999_999_999), .latest),
    ])
  func saturation(duration: Duration, end: Instant) {
    #expect(Instant(milliseconds: 1) + duration == end)
    #expect(Instant(milliseconds: .max) == .latest)
    #expect(Instant(milliseconds: .min) == .earliest)
  }

  @Test("subtracting an endless past leads to the end of time, not to a trap")
  func subtraction() {
    #expect(Instant(milliseconds: 1) - .seconds(Int64.min) == .latest)
    #expect(Instant(milliseconds: 1) - .seconds(Int64.max) == .earliest)
  }

  @Test("is the same as its date, to the millisecond")
  func date() {
    let instant = Instant(milliseconds: 1_767_225_600_123)
    #expect(Instant(instant.date) == instant)
    #expect(Instant(Date(timeIntervalSince1970: -62_135_596_800)) == .earliest)
    #expect(Instant(Date(timeIntervalSince1970: .infinity)) == .latest)
  }

  @Test("is an integer in JSON, and one of that range")
  func coding() throws {
    let instant = Instant(milliseconds: 1_767_225_600_123)
    #expect(String(decoding: try JSONEncoder().encode([instant]), as: UTF8.self) == "[1767225600123]")
    #expect(try JSONDecoder().decode([Instant].self, from: Data("[1767225600123]".utf8)) == [instant])
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([Instant].self, from: Data("[-1]".utf8)) }
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([Instant].self, from: Data("[9223372036854775807]".utf8)) }
  }

  @Test("comes from a clock that is handed in")
  func clock() {
    let clock = WallClock { Instant(milliseconds: 5) }
    #expect(clock.now() == Instant(milliseconds: 5))
    #expect(WallClock.system.now() > Instant(milliseconds: 1_700_000_000_000))
  }
}
