import FoundationEssentials

/// Runs the body with a folder of its own, short enough of path for Unix sockets, and removes it.
func withTemporaryFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
  let folder = URL(filePath: "/tmp/runtime-\(String(UInt64.random(in: 0 ... .max), radix: 36))", directoryHint: .isDirectory)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder)
}

extension URL {
  var filePath: String { path(percentEncoded: false) }
}
