import Testing

@testable import Scheduler

@Suite("The directory of a CA")
struct DirectoryURLTests {
  @Test(
    "is the same however it is written",
    arguments: ["https://acme.test/directory/", "https://acme.test", "https://acme.test/", "HTTPS://ACME.test/directory"])
  func same(text: String) {
    #expect(DirectoryURL(text) == DirectoryURL("https://acme.test/directory"))
  }

  @Test(
    "is another one with another host, port or path",
    arguments: ["https://acme.test:14000/directory", "https://a.test", "https://acme.test/Dir"])
  func other(text: String) {
    #expect(DirectoryURL(text) != DirectoryURL("https://acme.test/directory"))
  }
}
