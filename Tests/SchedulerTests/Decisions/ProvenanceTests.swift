import Testing

@testable import Scheduler

@Suite("Where the database comes from")
struct ProvenanceTests {
  @Test("a new one, one that was at work here, and one whose last number was not written beside it are no backups")
  func own() {
    #expect(!Provenance(generation: nil, noted: nil).isRestored)
    #expect(!Provenance(generation: nil, noted: 0).isRestored)
    #expect(!Provenance(generation: 7, noted: 7).isRestored)
    #expect(!Provenance(generation: 8, noted: 7).isRestored)
  }

  @Test("a copy, an older state, one from elsewhere and a new one where another was are restored, or as good as")
  func others() {
    #expect(Provenance(isCopy: true, generation: 8, noted: 7).isRestored)
    #expect(Provenance(generation: 6, noted: 7).isRestored)
    #expect(Provenance(generation: 6, noted: nil).isRestored)
    #expect(Provenance(generation: nil, noted: 7).isRestored)
  }
}
