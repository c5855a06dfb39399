import FoundationEssentials
import Glibc

/// The file operations that the folder of a device is made of. Each one is on disk when it returns, and is done whole or not at all.
struct DurableFiles: Sendable {
  /// One of them, as it is about to happen.
  enum Step: Sendable, Hashable {
    case write(String)
    case link(String)
    case makeFolder(String)
    case remove(String)
  }

  /// The longest file that is read, in bytes.
  private static let longest = 1_000_000

  /// Is told of each step before it happens; what it throws ends the operation there, as a power cut would.
  private let willTake: @Sendable (Step) throws -> Void

  /// The operations; a test may want to interrupt them.
  init(willTake: @escaping @Sendable (Step) throws -> Void = { _ in }) {
    self.willTake = willTake
  }

  /// Puts a file in the place of what is at `path`.
  func write(_ text: String, to path: String, mode: mode_t) throws {
    try willTake(.write(path))
    let temporary = path + ".new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw FileError(path, "written") }
    defer { close(descriptor) }
    // The umask may have taken bits that a server needs to read a certificate.
    guard fchmod(descriptor, mode) == 0 else { throw FileError(path, "written") }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count >= 0 || errno == EINTR else { throw FileError(path, "written") }
      rest = rest.dropFirst(max(count, 0))
    }
    guard fsync(descriptor) == 0 else { throw FileError(path, "written") }
    try move(temporary, to: path)
  }

  /// Puts a symbolic link to `target` in the place of what is at `path`, unless it is there already.
  func link(_ path: String, to target: String) throws {
    guard destination(of: path) != target else { return }
    try willTake(.link(path))
    let temporary = path + ".new"
    unlink(temporary)
    guard symlink(target, temporary) == 0 else { throw FileError(path, "linked") }
    try move(temporary, to: path)
  }

  /// Makes a folder, unless it is there, and those above it.
  func makeFolder(_ path: String) throws {
    guard access(path, F_OK) != 0 else { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolder(String(path[..<slash])) }
    try willTake(.makeFolder(path))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileError(path, "made") }
    try sync(folderOf: path)
  }

  /// Removes a file, or a folder and what is in it.
  func remove(_ path: String) throws {
    guard access(path, F_OK) == 0 else { return }
    try willTake(.remove(path))
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw FileError(path, "removed")
    }
    try sync(folderOf: path)
  }

  /// Reads a file of at most a million bytes; nil if there is none.
  func read(_ path: String) throws -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0, errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw FileError(path, "read") }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while content.count <= Self.longest {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count == 0 { break }
      guard count > 0 || errno == EINTR else { throw FileError(path, "read") }
      content += chunk.prefix(max(count, 0))
    }
    guard content.count <= Self.longest else { throw FileError(path, because: "it has more than a million bytes.") }
    guard let text = String(validating: content, as: UTF8.self) else { throw FileError(path, because: "it is no text.") }
    return text
  }

  /// Where a symbolic link leads, or nil if this is none.
  func destination(of path: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: path)
  }

  private func move(_ temporary: String, to path: String) throws {
    guard rename(temporary, path) == 0 else { throw FileError(path, "written") }
    try sync(folderOf: path)
  }

  private func sync(folderOf path: String) throws {
    let folder = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
    let descriptor = open(folder.isEmpty ? "/" : String(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(path, "written") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError(path, "written") }
  }
}

/// A file that cannot be dealt with.
struct FileError: Error, CustomStringConvertible {
  /// The file, what could not be done, and why.
  let description: String

  /// The error of the system call that has just failed.
  init(_ path: String, _ done: String) {
    self.description = "\(path) cannot be \(done): \(String(cString: strerror(errno)))."
  }

  /// An error of another cause.
  init(_ path: String, because reason: String) {
    self.description = "\(path) is no use: \(reason)"
  }
}
