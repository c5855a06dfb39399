import FoundationEssentials
import Glibc

/// An open descriptor, closed when it goes.
struct OpenFile: ~Copyable {
  private let descriptor: CInt
  private let path: String

  /// Opens the path, close-on-exec; nil when nothing is there.
  ///
  /// - Parameter name: What errors call the file; its path if not given.
  init?(_ path: String, _ flags: CInt, mode: UInt32 = 0, as name: String? = nil) throws(ServiceRuntimeError) {
    descriptor = open(path, flags | O_CLOEXEC, mode)
    self.path = name ?? path
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw .file(self.path, doing: "open")
    }
    // The umask took its share of the mode.
    guard flags & O_CREAT == 0 || fchmod(descriptor, mode) == 0 else { throw .file(self.path, doing: "set the mode of") }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  func read(limit: Int) throws(ServiceRuntimeError) -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .file(path, doing: "read") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw ServiceRuntimeError(.file, path, cause: "is no regular file") }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: min(limit + 1, 65_536))
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .file(path, doing: "read") }
      if count == 0 { return content }
      content += chunk[..<count]
      guard content.count <= limit else { throw ServiceRuntimeError(.tooLarge, path, cause: "has more than \(limit) bytes") }
    }
  }

  func write(_ content: some ContiguousBytes) throws(ServiceRuntimeError) {
    let isWritten = content.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
    guard isWritten else { throw .file(path, doing: "write") }
  }

  func sync() throws(ServiceRuntimeError) {
    guard fsync(descriptor) == 0 else { throw .file(path, doing: "sync") }
  }
}
