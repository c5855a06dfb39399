import CoreMetrics
import FoundationEssentials
import Logging
import ServiceLifecycle
import Synchronization
import Telemetry
import Testing

@testable import ServiceRuntime

@Suite(.timeLimit(.minutes(1))) struct MetricsArchiveTests {
  /// Counts what is logged.
  private final class CountingSink: LogSink {
    let count = Mutex(0)
    func write(_ record: LogRecord) { count.withLock { $0 += 1 } }
  }

  private let sink = CountingSink()
  private let clock = TestClock()

  private func archive(in folder: URL, of registry: MetricsRegistry) -> MetricsArchive {
    let logger = Logger(label: "test") { [sink] in StructuredLogHandler(label: $0, level: .info, sink: sink) }
    return MetricsArchive(file: AtomicFile(folder.appending(component: "m.json")), registry: registry, clock: clock, logger: logger)
  }

  private func loaded(from folder: URL) -> String {
    let registry = MetricsRegistry()
    archive(in: folder, of: registry).load()
    return TextExposition(of: registry).description
  }

  @Test("a change is stored within the interval, so that a kill loses no more")
  func interval() async throws {
    try await withTemporaryFolder { folder in
      let registry = MetricsRegistry()
      let archive = archive(in: folder, of: registry)
      let counter = Counter(label: "c", factory: registry)
      await withTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try? await archive.saveChanges() }
        counter.increment()
        #expect(await clock.nextDeadline() == .seconds(60))
        counter.increment()
        #expect(loaded(from: folder).isEmpty)
        clock.advance(by: .seconds(60))
        while loaded(from: folder).isEmpty { await Task.yield() }
        tasks.cancelAll()
      }
      #expect(loaded(from: folder) == "# TYPE c_total counter\nc_total 2\n")
    }
  }

  @Test("what was counted up to the end is stored at the end")
  func end() async throws {
    try await withTemporaryFolder { folder in
      let registry = MetricsRegistry()
      let archive = archive(in: folder, of: registry)
      await withTaskGroup(of: Void.self) { tasks in
        tasks.addTask { await archive.run() }
        Counter(label: "c", factory: registry).increment(by: 7)
        _ = await clock.nextDeadline()
        tasks.cancelAll()
      }
      #expect(loaded(from: folder) == "# TYPE c_total counter\nc_total 7\n")
    }
  }

  @Test("a file that makes no sense is set aside with a warning, and counting begins anew", arguments: ["", "{", "[1]", "{\"entries\":7}"])
  func corrupt(content: String) async throws {
    try await withTemporaryFolder { folder in
      try AtomicFile(folder.appending(component: "m.json")).write(Array(content.utf8))
      #expect(loaded(from: folder).isEmpty)
      #expect(sink.count.withLock { $0 } == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.filePath) == ["m.json.corrupt"])
    }
  }

  @Test("the first start, without a file, is nothing to warn of")
  func firstStart() async throws {
    try await withTemporaryFolder { folder in
      #expect(loaded(from: folder).isEmpty)
      #expect(sink.count.withLock { $0 } == 0)
    }
  }
}
