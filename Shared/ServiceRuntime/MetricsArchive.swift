import FoundationEssentials
import Logging
import ServiceLifecycle
import Telemetry

/// Keeps the counters and histograms of a service in a file, so that they go on where they were after an idle exit or a restart.
///
/// Put it first in the service group: the first is stopped last, when all that counts has counted.
struct MetricsArchive: Service, CustomStringConvertible {
  let file: AtomicFile
  let registry: MetricsRegistry
  /// The most that a kill can lose.
  var interval = Duration.seconds(60)
  var clock: any Clock<Duration> = ContinuousClock()
  let logger: Logger
  private let trouble = StandingTrouble()

  /// Far more than all series can take.
  private static let sizeLimit = 8 << 20

  var description: String { "metrics archive" }

  /// Adds what earlier processes counted. A file that makes no sense is set aside: metrics are no reason not to start.
  func load() {
    do {
      guard let content = try file.read(limit: Self.sizeLimit) else { return }
      registry.restore(try JSONDecoder().decode(MetricsSnapshot.self, from: Data(content)))
    } catch {
      let aside = (try? file.setAside())?.path(percentEncoded: false)
      logger.log(.fileDamaged, "the stored metrics cannot be read, counting anew", error: error, metadata: [.file: aside])
    }
  }

  func run() async {
    try? await cancelWhenGracefulShutdown { try await saveChanges() }
    save()
  }

  /// Saves within the interval after a change, until it is cancelled.
  func saveChanges() async throws {
    for await _ in registry.changes {
      try await clock.sleep(for: interval)
      save()
    }
  }

  private func save() {
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      try file.write(try encoder.encode(registry.snapshot()))
      if trouble.ends() { logger.notice("the metrics can be stored again") }
    } catch {
      if trouble.begins() { logger.log(.storingFailed, "the metrics cannot be stored: \(error)") }
    }
  }
}
