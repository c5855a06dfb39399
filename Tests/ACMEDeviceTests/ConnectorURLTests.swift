import Testing

@testable import ACMEDeviceCommand

@Suite("The connector's URL")
struct ConnectorURLTests {
  @Test(
    "it is a wss URL, with what is missing filled in",
    arguments: [
      ("wss://host.example:8443/example.com/le", "wss://host.example:8443/example.com/le"), ("wss://host.example", "wss://host.example/connector"),
      ("wss://host.example:443/", "wss://host.example/connector"), ("wss://[2001:db8::1]:8443/a?b=c", "wss://[2001:db8::1]:8443/a?b=c"),
    ])
  func secure(text: String, url: String) {
    #expect(ConnectorURL(text)?.description == url)
  }

  @Test("without TLS only this machine is spoken to", arguments: ["ws://127.0.0.1:8080/connector", "ws://localhost/c", "ws://[::1]:8080/c"])
  func loopback(text: String) {
    #expect(ConnectorURL(text) != nil)
  }

  @Test(
    "anything else is refused",
    arguments: [
      "ws://host.example/c", "ws://127.example/c", "https://host.example", "wss://user:p@host.example", "wss://", "host.example", "wss://h:0/",
    ])
  func refused(text: String) {
    #expect(ConnectorURL(text) == nil)
  }

  @Test("an address keeps its brackets in the Host header only")
  func address() throws {
    let url = try #require(ConnectorURL("wss://[2001:db8::1]:8443/a"))
    #expect(url.host == "2001:db8::1")
    #expect(url.authority == "[2001:db8::1]:8443")
  }
}
