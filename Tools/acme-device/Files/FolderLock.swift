import Glibc

/// Keeps a second process out of a folder, as long as this one lives and holds it.
final class FolderLock: Sendable {
  private let descriptor: CInt

  /// Takes the lock.
  /// - Throws: when another process has it.
  init(_ path: String) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileError(path, "opened") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw FileError(path, because: "another acme-device is at work in this folder.")
    }
  }

  deinit {
    // A child that was forked and has not called exec yet still shares the lock; only this ends it for all.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
