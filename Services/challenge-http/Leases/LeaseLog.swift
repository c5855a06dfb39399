import FoundationEssentials
import Glibc
import ServiceRuntime

/// The leases on disk: one JSON object a line, appended; the last line about a lease says what it is.
///
/// It is there for the next process, not for a power cut: the folder is in memory (`RuntimeDirectory=`), so what `write(2)` has taken is
/// safe, and there is nothing to sync.
struct LeaseLog: ~Copyable {
  /// Why a lease could not be kept.
  struct Failure: Error, CustomStringConvertible {
    let path: String
    let cause: String
    var description: String { "\(path): \(cause)" }
  }

  /// More than this is not read at the start: some other file.
  private static let longest = 64 << 20
  /// Below this a log is not worth being written anew.
  private static let short = 1 << 20

  private let file: AtomicFile
  private let path: String
  private var descriptor: CInt = -1
  private var size = 0
  private var sizeWorthCompacting = short

  init(_ url: URL) {
    file = AtomicFile(url)
    path = url.path(percentEncoded: false)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The leases that earlier processes left, oldest record first, and how many lines made no sense. A last line without its end is that of
  /// a process that was killed, of which nobody was told: it does not count.
  func read() throws -> (leases: [Lease], badLines: Int) {
    let content = try file.read(limit: Self.longest) ?? []
    let decoder = JSONDecoder()
    let lines = content.prefix(through: content.lastIndex(of: UInt8(ascii: "\n")) ?? -1).split(separator: UInt8(ascii: "\n"))
    let leases = lines.compactMap { try? decoder.decode(Lease.self, from: Data($0)) }
    return (leases, lines.count - leases.count)
  }

  /// Moves a log that cannot be read out of the way.
  func setAside() throws -> URL { try file.setAside() }

  /// Whether the log is mostly about leases that have ended.
  var isWorthCompacting: Bool { size > sizeWorthCompacting }

  /// Writes the log anew, with nothing but these. When that fails the log goes on as it is, and it is worth trying again when more has been added.
  mutating func compact(to leases: [Lease]) throws {
    sizeWorthCompacting = size + Self.short
    let content = try leases.map(Self.line).reduce(into: Data()) { $0 += $1 }
    do {
      try file.write(content)
    } catch {
      // It may have failed with the new file in place already.
      try? reopen()
      throw error
    }
    try reopen()
    // At most twice the leases that there can be: well below `longest`.
    sizeWorthCompacting = max(Self.short, 2 * size)
  }

  /// Adds a lease, whole or not at all.
  mutating func append(_ lease: Lease) throws {
    if descriptor < 0 { try reopen() }
    let line = try Self.line(lease)
    let count = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard count == line.count else {
      let error = count < 0 ? failure("write") : Failure(path: path, cause: "cannot write: no room")
      ftruncate(descriptor, off_t(size))
      throw error
    }
    size += count
  }

  /// Goes on with the file that has the path now. If it cannot be opened the next lease tries again.
  private mutating func reopen() throws {
    let opened = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
    let failed = opened < 0 ? failure("open") : nil
    if descriptor >= 0 { close(descriptor) }
    descriptor = opened
    if let failed { throw failed }
    size = Int(lseek(opened, 0, SEEK_END))
  }

  private static func line(_ lease: Lease) throws -> Data {
    try JSONEncoder().encode(lease) + [UInt8(ascii: "\n")]
  }

  private func failure(_ action: String) -> Failure {
    Failure(path: path, cause: "cannot \(action): \(String(cString: strerror(errno)))")
  }
}
