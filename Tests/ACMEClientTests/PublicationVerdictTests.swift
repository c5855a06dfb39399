import Testing

@testable import ACMEClient

@Suite("Whether the CA may be asked")
struct PublicationVerdictTests {
  @Test("one responder with the answer in place is enough")
  func one() {
    #expect(PublicationVerdict([("a", .notMine), ("b", .inPlace), ("c", .silent("slow"))]) == .inPlace(by: ["b"]))
  }

  @Test("a required one that failed is one too many")
  func required() {
    #expect(PublicationVerdict([("a", .inPlace), ("b", .failed("the device is gone", required: true))]) == .refused("b: the device is gone"))
  }

  @Test("without an answer in place the CA is not asked, and the reasons are named")
  func none() {
    for answers in [[], [("a", PublicationVerdict.Answer.notMine)], [("a", .failed("x", required: false)), ("b", .notMine)]] {
      guard case .refused(let reason) = PublicationVerdict(answers) else {
        Issue.record("\(answers)")
        continue
      }
      #expect(!reason.isEmpty)
    }
  }
}
