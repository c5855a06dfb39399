import FoundationEssentials

/// A folder for one test, with a path short enough for a Unix socket; gone when the value is.
public final class TemporaryFolder: Sendable {
  /// Where it is.
  public let path: String

  /// Makes a folder that nobody else has.
  public init() throws {
    path = "/tmp/acme-connector-test-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
