import PKI
import Testing

@Suite("IP addresses and networks")
struct IPAddressTests {
  @Test(
    "an address says what it is for",
    arguments: [
      ("8.8.8.8", IPAddress.Purpose.host), ("172.15.0.1", .host), ("2606:4700::1111", .host), ("10.1.2.3", .privateHost),
      ("172.31.0.1", .privateHost),
      ("192.168.0.1", .privateHost), ("100.64.0.1", .privateHost), ("fd00::1", .privateHost), ("127.0.0.2", .loopback), ("::1", .loopback),
      ("169.254.169.254", .linkLocal), ("fe80::1", .linkLocal), ("224.0.0.1", .multicast), ("ff02::1", .multicast), ("192.0.2.1", .documentation),
      ("198.51.100.1", .documentation), ("203.0.113.1", .documentation), ("2001:db8::1", .documentation), ("3fff::1", .documentation),
      ("0.0.0.0", .reserved), ("255.255.255.255", .reserved), ("198.18.0.1", .reserved), ("::", .reserved), ("::ffff:8.8.8.8", .reserved),
      ("64:ff9b::808:808", .reserved), ("2002:808:808::1", .reserved), ("::127.0.0.1", .reserved),
    ])
  func purpose(text: String, purpose: IPAddress.Purpose) throws { #expect(try #require(IPAddress(text)).purpose == purpose) }

  @Test("an address is written in one way", arguments: [("2001:DB8:0::1", "2001:db8::1"), ("192.0.2.1", "192.0.2.1")])
  func description(text: String, written: String) throws { #expect(try #require(IPAddress(text)).description == written) }

  @Test("other texts are none", arguments: ["", "a.example", "192.0.2", "192.0.2.1/24", "[::1]", "fe80::1%eth0", "1.2.3.4.5"])
  func none(text: String) { #expect(IPAddress(text) == nil) }

  @Test(
    "a network has the addresses that begin as it does",
    arguments: [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.168.1.0/25", "192.168.1.127", true),
      ("192.168.1.0/25", "192.168.1.128", false), ("fd00::/8", "fdff::1", true), ("::1", "::1", true), ("::1", "::2", false),
      ("0.0.0.0/0", "8.8.8.8", true), ("::/0", "8.8.8.8", false), ("::ffff:127.0.0.1", "127.0.0.1", true),
      ("::ffff:10.0.0.0/104", "10.9.9.9", true),
    ])
  func contains(network: String, address: String, isInside: Bool) throws {
    #expect(try #require(IPNetwork(network)).contains(#require(IPAddress(address))) == isInside)
  }

  @Test(
    "other texts are no networks", arguments: ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "example/8", "::/129", "10.1.2.3/8", "127.0.0.1/+8"])
  func noNetwork(text: String) { #expect(IPNetwork(text) == nil) }
}
