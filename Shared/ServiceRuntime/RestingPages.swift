import FoundationEssentials
import Glibc
import ServiceLifecycle

/// Gives back the pages of the executable whenever the process has come to rest: what its start and its last work have read of the file. That is most of
/// the memory of a service that waits; what it needs again comes from the page cache, within milliseconds.
struct RestingPages: Service, CustomStringConvertible {
  /// How often it looks.
  var interval = Duration.seconds(10)

  /// A process that has used less of a processor since the last look is at rest, for its watchdog and its timers use as much; and one that has used more
  /// since it gave its pages back has some again.
  private static let rest = Duration.milliseconds(10)

  var description: String { "resting pages" }

  func run() async {
    try? await cancelWhenGracefulShutdown {
      var (seen, givenBack) = (Self.processorTime(), Duration.zero)
      while true {
        try await Task.sleep(for: interval, tolerance: interval / 10)
        let used = Self.processorTime()
        if used - seen < Self.rest, used - givenBack >= Self.rest {
          Self.giveBack()
          givenBack = Self.processorTime()
        }
        seen = Self.processorTime()
      }
    }
  }

  private static func processorTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// Gives the pages back, of all that the process has mapped of its executable and neither may nor did write (proc_pid_smaps(5), madvise(2)). Libraries
  /// are left alone: another thread may be loading one.
  static func giveBack() {
    guard let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      let content = try? OpenFile("/proc/self/smaps", O_RDONLY)?.read(limit: 1 << 22)
    else { return }
    var mapping: Mapping?
    for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
      if let next = Mapping(words) { mapping = next }
      // Pages that were relocated are the process's own, in memory or swapped out, though it may not write to them any more.
      if words.first == "Anonymous:", words.dropFirst().first != "0" { mapping = nil }
      guard words.first == "Swap:", words.dropFirst().first == "0", let found = mapping else { continue }
      if found.file == executable, !found.isWritable { madvise(UnsafeMutableRawPointer(bitPattern: found.start), found.size, MADV_DONTNEED) }
    }
  }

  /// What is mapped to a range of addresses.
  private struct Mapping {
    let start: UInt
    let size: Int
    let isWritable: Bool
    let file: String

    /// Fails for a line that does not begin one.
    init?(_ words: [Substring]) {
      let ends = words.first?.split(separator: "-").compactMap { UInt($0, radix: 16) } ?? []
      guard ends.count == 2, ends[0] < ends[1], words.count > 5 else { return nil }
      (start, size) = (ends[0], Int(ends[1] - ends[0]))
      isWritable = words[1].contains("w")
      file = String(words[5].drop { $0 == " " })
    }
  }
}
