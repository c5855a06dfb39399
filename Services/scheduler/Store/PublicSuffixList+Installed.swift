import FoundationEssentials
import Logging
import PKI
import ServiceRuntime
import Telemetry

extension PublicSuffixList {
  /// Where Debian's package publicsuffix has the list.
  private static let path = "/usr/share/publicsuffix/public_suffix_list.dat"
  /// More than ten times its size.
  private static let sizeLimit = 4 << 20

  /// The list that is installed. Without one, the last two labels of a name count as its registered domain.
  static func installed(logger: Logger) -> PublicSuffixList { PublicSuffixList(reading: { text(logger: logger) }) }

  private static func text(logger: Logger) -> String {
    do {
      if let content = try AtomicFile(URL(filePath: path)).read(limit: sizeLimit) { return String(decoding: content, as: UTF8.self) }
      logger.notice("no public suffix list is installed; the last two labels of a name count as its domain", metadata: [.file: path])
    } catch {
      logger.log(
        .fileDamaged, "the public suffix list cannot be read; the last two labels of a name count as its domain", error: error,
        metadata: [.file: path])
    }
    return ""
  }
}
