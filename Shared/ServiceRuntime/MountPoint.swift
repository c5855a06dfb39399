import FoundationEssentials

/// The mount that a path is on, as this process sees it (proc_pid_mountinfo(5)). A service that systemd shields has mounts of its own.
struct MountPoint: Hashable {
  /// Whether this process cannot write there.
  let isReadOnly: Bool
  /// Whether nobody can.
  let isDiskReadOnly: Bool

  /// Mounted for writing after this process began, which it does not see: only another one does.
  var isOutdated: Bool { isReadOnly && !isDiskReadOnly }

  /// The mount of a path by this process's own table; nil if that cannot be read.
  init?(of path: String) {
    // The kernel hands it out in pieces: it has been read when there is no more.
    guard let table = try? AtomicFile(URL(filePath: "/proc/self/mountinfo")).read(limit: 1 << 20) else { return nil }
    self.init(of: path, in: String(decoding: table, as: UTF8.self))
  }

  /// - Parameter table: A line a mount, later ones over earlier ones: `36 35 98:0 /root /mount/point options tags - type source options-of-the-disk`.
  init?(of path: String, in table: String) {
    var found: (length: Int, options: Substring, disk: Substring)?
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 6, let dash = fields.firstIndex(of: "-"), fields.count > dash + 3 else { continue }
      let point = fields[4]
      guard path == point || point == "/" || path.hasPrefix(point + "/"), point.count >= found?.length ?? 0 else { continue }
      found = (point.count, fields[5], fields[dash + 3])
    }
    guard let found else { return nil }
    isReadOnly = Self.isReadOnly(found.options)
    isDiskReadOnly = Self.isReadOnly(found.disk)
  }

  private static func isReadOnly(_ options: Substring) -> Bool { options.split(separator: ",").contains("ro") }
}
