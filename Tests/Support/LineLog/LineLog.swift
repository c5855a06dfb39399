package import Logging
import Synchronization

/// A logger whose lines a test can read.
package struct LineLog: LogHandler {
  package final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    package init() {}

    package var all: [String] { lines.withLock { $0 } }

    func add(_ line: String) { lines.withLock { $0.append(line) } }
  }

  let lines: Lines
  package var metadata = Logger.Metadata()
  package var logLevel = Logger.Level.info

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let values = (event.metadata ?? [:]).filter { $0.key != "messageID" }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    lines.add((["\(event.level)", "\(event.message)"] + values).joined(separator: " "))
  }

  package static func make(_ lines: Lines) -> Logger { Logger(label: "test") { _ in LineLog(lines: lines) } }
}
