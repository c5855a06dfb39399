import FoundationEssentials
import GRDBSQLite
import Glibc
import Synchronization

/// A disk without room for what SQLite writes to the files of one folder. SQLite asks here instead of the system, so that it fails where it does on
/// such a disk: when a commit writes, and not before.
enum FullDisk {
  private static let folders = Mutex<Set<String>>([])

  /// SQLite's writes come here, for good; all other files are written as ever.
  private static let isInstalled: Bool = {
    guard let system = sqlite3_vfs_find(nil), let replace = system.pointee.xSetSystemCall else { return false }
    let write: @convention(c) (CInt, UnsafeRawPointer?, Int, off_t) -> Int = { file, bytes, count, offset in
      guard FullDisk.isFull(for: file) else { return pwrite(file, bytes, count, offset) }
      errno = ENOSPC
      return -1
    }
    let call = unsafeBitCast(write, to: sqlite3_syscall_ptr.self)
    return replace(system, "pwrite", call) == SQLITE_OK && replace(system, "pwrite64", call) == SQLITE_OK
  }()

  /// Runs `body` while the disk of this folder is full.
  static func during<Value>(in folder: URL, _ body: () async throws -> Value) async throws -> Value {
    guard isInstalled else { throw CocoaError(.featureUnsupported) }
    let path = folder.path(percentEncoded: false)
    _ = folders.withLock { $0.insert(path) }
    defer { _ = folders.withLock { $0.remove(path) } }
    return try await body()
  }

  private static func isFull(for file: CInt) -> Bool {
    let full = folders.withLock { $0 }
    guard !full.isEmpty, let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(file)") else { return false }
    return full.contains { path.hasPrefix($0) }
  }
}
