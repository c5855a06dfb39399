#if DEBUG
  import Glibc
  import FoundationEssentials
#endif

/// Named points between two lines of a program, where a test can have the process killed as by a power cut.
///
/// Only in debug builds, and only when the environment asks: `ACME_CONNECTOR_DIE_AT` holds the names of the steps, separated by commas, and
/// `ACME_CONNECTOR_DIE_MARKERS` a folder in which each death leaves a mark, so that it happens once and the restarted process gets past it.
public enum RehearsedDeath {
  /// Dies here with SIGKILL if this step is asked for and has not been died at before. Does nothing in a release build.
  @inlinable
  public static func at(_ step: StaticString) {
    #if DEBUG
      die(at: "\(step)")
    #endif
  }

  #if DEBUG
    private static let steps: Set<Substring> = Set(variable("ACME_CONNECTOR_DIE_AT").split(separator: ","))
    private static let markers = variable("ACME_CONNECTOR_DIE_MARKERS")

    private static func variable(_ name: String) -> String { ProcessInfo.processInfo.environment[name] ?? "" }

    @usableFromInline
    static func die(at step: String) {
      guard steps.contains(step[...]), !markers.isEmpty else { return }
      // The marker is on disk before the process is gone: whoever finds it knows that the step was reached.
      let marker = open("\(markers)/\(step)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard marker >= 0 else { return }
      fsync(marker)
      let folder = open(markers, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      fsync(folder)
      kill(getpid(), SIGKILL)
    }
  #endif
}
