import FoundationEssentials
import Glibc
import Programs
import Testing

/// A CA and a connector that uses it, in a folder that is gone afterwards.
struct Testbed: Sendable {
  let pebble: Pebble
  let connector: Connector
  let folder: URL
  /// The port at which the CA asks for challenge answers; connector: 127.0.0.1, where names resolve to unless a test says otherwise.
  let port: Int

  /// Starts both, and ends both when `body` is done. Where `body` fails, the folder is left to be looked at.
  static func with<Result: Sendable>(
    _ manners: Pebble.Manners = .init(), environment: [String: String] = [:], credentials: [String: String] = [:],
    longestPause: Double? = nil, _ body: @Sendable (Testbed) async throws -> Result
  ) async throws -> Result {
    try await withFolder { folder in
      let port = try freePort()
      return try await Pebble.run(in: folder.appending(path: "pebble"), challengePort: port, manners: manners) { pebble in
        try await Connector.run(
          in: folder.appending(path: "state"), authority: (pebble.directory, pebble.trust), challenges: port, environment: environment,
          credentials: credentials, longestPause: longestPause
        ) { connector in
          try await body(Testbed(pebble: pebble, connector: connector, folder: folder, port: port))
        }
      }
    }
  }

  /// A device of its own.
  func device(_ name: String = "device") -> Device { Device(folder: folder.appending(path: name), connector: connector) }

  /// Names that nobody else asks for.
  static func names(_ count: Int) -> [String] { (0..<count).map { "n\($0).integration.example" } }

  /// A short folder below the temporary one, for paths of Unix sockets are limited to 107 bytes.
  static func withFolder<Result: Sendable>(_ body: @Sendable (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "acme-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder.appending(path: "pebble"), withIntermediateDirectories: true)
    do {
      let result = try await body(folder)
      try FileManager.default.removeItem(at: folder)
      return result
    } catch {
      Issue.record("the logs of this case are in \(folder.path)")
      throw error
    }
  }

  /// A TCP port of loopback that is free at this moment, and is none of those that the kernel hands out: another test may be given one of them meanwhile.
  static func freePort() throws -> Int {
    for _ in 1...100 {
      let port = UInt16.random(in: 20_000..<32_000)
      if isFree(port) { return Int(port) }
    }
    throw Failure("no free port on loopback")
  }

  private static func isFree(_ port: UInt16) -> Bool {
    let probe = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard probe >= 0 else { return false }
    defer { close(probe) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
  }
}
