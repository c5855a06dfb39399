import ACMEClientAPI
import FoundationEssentials
import ModelAuthority
import NIOCore
import PKI
import Subprocess
import Testing

@testable import ACMEClient

@Suite("Which certificate a name serves", .timeLimit(.minutes(1)))
struct ObserverTests {
  @Test("is seen without trusting it, as openssl sees it; at addresses that are not public only where that is allowed, and not where nobody answers")
  func seen() async throws {
    try await Testbed.withModel { _, model in
      let port = try #require(URL(string: model.directory)?.port)
      let name = try #require(DNSName("localhost"))
      func sightings(at port: Int, privateAddresses: Bool = true) async throws -> [ACMEClient.Sighting] {
        try await Observer().observe(.init(name: name, port: port, privateAddresses: privateAddresses)).sightings
      }
      let script = "openssl s_client -connect localhost:\(port) -servername localhost </dev/null 2>/dev/null | openssl x509 -outform DER | sha256sum"
      let openssl = try await Subprocess.run(.name("sh"), arguments: ["-c", script], output: .string(limit: 4096)).standardOutput
      let seen = try await sightings(at: port).compactMap(\.fingerprint?.hex)
      #expect(!seen.isEmpty && seen.allSatisfy { openssl.hasPrefix($0) })
      let passedOver = try await sightings(at: port, privateAddresses: false)
      #expect(!passedOver.isEmpty && passedOver.allSatisfy { $0.fingerprint == nil && $0.text == "It is no public address." })
      #expect(try await sightings(at: 1).allSatisfy { $0.fingerprint == nil })
      await #expect(throws: ACMEClient.Failed.self) { try await sightings(at: 0) }
    }
  }

  @Test(
    "addresses of this machine, of private networks and for special purposes are not public",
    arguments: [
      "127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1",
      "::1", "::", "::ffff:8.8.8.8", "fe80::1", "fd00::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "64:ff9b::7f00:1",
    ])
  func notPublic(address: String) throws {
    #expect(try !SocketAddress(ipAddress: address, port: 443).isPublic)
  }

  @Test("all others are", arguments: ["8.8.8.8", "172.32.0.1", "100.128.0.1", "193.0.0.1", "2606:4700::1111", "2a01::1"])
  func isPublic(address: String) throws {
    #expect(try SocketAddress(ipAddress: address, port: 443).isPublic)
  }
}
