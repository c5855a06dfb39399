import Telemetry
import Testing

@Suite struct StandingTroubleTests {
  @Test("it is told when it begins and when it is over, however often it is met between")
  func told() {
    let trouble = StandingTrouble()
    #expect(!trouble.ends())
    #expect([trouble.begins(), trouble.begins(), trouble.begins()] == [true, false, false])
    #expect([trouble.ends(), trouble.ends()] == [true, false])
    #expect(trouble.begins())
  }
}
