import FoundationEssentials
import ServiceRuntime

/// The generation of the database that was last here, in a file beside it: `scheduler.generation`. It is not in the database, so that it stays when a
/// backup is put in the place of that.
struct GenerationFile: Sendable {
  private let file: AtomicFile

  init(of database: URL) {
    file = AtomicFile(database.deletingPathExtension().appendingPathExtension("generation"))
  }

  /// The number; nil where there is none that can be read.
  func read() throws -> Int64? { try file.read(limit: 100).flatMap { Int64(String(decoding: $0, as: UTF8.self)) } }

  func write(_ generation: Int64) throws { try file.write(Array("\(generation)".utf8)) }
}
