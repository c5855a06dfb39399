import FoundationEssentials

/// A short folder of its own for one test, for paths of Unix sockets are limited to 107 bytes. It is gone afterwards.
func withFolder<Value>(_ body: (URL) async throws -> Value) async throws -> Value {
  let folder = try makeFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder)
}

func withFolder<Value>(_ body: (URL) throws -> Value) throws -> Value {
  let folder = try makeFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

private func makeFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory.appending(path: "acme-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}
