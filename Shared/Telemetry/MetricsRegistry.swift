import Synchronization

/// The metrics of this process: what swift-metrics' counters, gauges and timers write to, and what the exposition and the archive read from.
public final class MetricsRegistry: Sendable {
  private struct State {
    var kinds: [String: Kind] = [:]
    /// The names of which only an earlier process has said what they are; this one may say otherwise.
    var restored: Set<String> = []
    var help: [String: String] = [:]
    var slots: [MetricSeries: Int] = [:]
    var series: [(series: MetricSeries, value: MetricValue)] = []
    var isChanged = false
  }

  enum Kind { case counter, gauge, seconds, sizes }

  /// More series than this are not kept. Labels come from code, not from peers; should one slip through, memory stays bounded.
  static let mostSeries = 4096

  private let state = Mutex(State())
  private let change = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

  /// An empty registry.
  public init() {}

  /// Says what the metric counts, for the exposition's `HELP` line.
  public func describe(_ name: String, _ help: String) {
    state.withLock { $0.help[MetricSeries(name).name] = help }
  }

  /// An element for the first change since the last `snapshot()`, of anything that a snapshot holds. For one reader.
  public var changes: AsyncStream<Void> { change.stream }

  /// All series with their values, in the order of their names.
  var all: [(series: MetricSeries, value: MetricValue)] {
    state.withLock { $0.series }.sorted { $0.series < $1.series }
  }

  var help: [String: String] { state.withLock { $0.help } }

  /// What outlives the process: counters and histograms.
  public func snapshot() -> MetricsSnapshot {
    let series = state.withLock { state in
      state.isChanged = false
      return state.series
    }
    return MetricsSnapshot(series)
  }

  /// Adds what an earlier process counted. Entries that make no sense, or contradict what is there, are left out.
  public func restore(_ snapshot: MetricsSnapshot) {
    for entry in snapshot.entries {
      let series = MetricSeries(entry.series.name, labels: entry.series.labels.map { ($0.name, $0.value) })
      guard let value = entry.value, let slot = slot(for: series, kind: value.kind, isRestored: true) else { continue }
      state.withLock { state in
        switch (value, state.series[slot].value) {
        case (.counter(let earlier), .counter(let now)): state.series[slot].value = .counter(earlier + now)
        case (.histogram(let earlier), .histogram(var now)) where now.add(earlier): state.series[slot].value = .histogram(now)
        default: break
        }
      }
    }
  }

  /// Where the series is kept; nil when its name already means another kind of metric, or there are too many.
  func slot(for series: MetricSeries, kind: Kind, isRestored: Bool = false) -> Int? {
    state.withLock { state in
      if isRestored, state.kinds[series.name] == nil { state.restored.insert(series.name) }
      if !isRestored, state.restored.remove(series.name) != nil, state.kinds[series.name] != kind {
        // An older version of the program kept something else under this name.
        for slot in state.series.indices where state.series[slot].series.name == series.name { state.series[slot].value = kind.zero }
        state.kinds[series.name] = kind
      }
      if let known = state.kinds[series.name], known != kind { return nil }
      if let slot = state.slots[series] { return slot }
      guard state.series.count < Self.mostSeries else { return nil }
      state.kinds[series.name] = kind
      state.slots[series] = state.series.count
      state.series.append((series, kind.zero))
      return state.series.count - 1
    }
  }

  func update(_ slot: Int, _ update: (inout MetricValue) -> Void) {
    let isFirstChange = state.withLock { state in
      update(&state.series[slot].value)
      if case .gauge = state.series[slot].value { return false }
      defer { state.isChanged = true }
      return !state.isChanged
    }
    if isFirstChange { change.continuation.yield() }
  }
}

extension MetricsRegistry.Kind {
  fileprivate var zero: MetricValue {
    switch self {
    case .counter: .counter(0)
    case .gauge: .gauge(0)
    case .seconds: .histogram(Histogram(bounds: Histogram.secondsBounds))
    case .sizes: .histogram(Histogram(bounds: Histogram.decadesBounds))
    }
  }
}

extension MetricValue {
  fileprivate var kind: MetricsRegistry.Kind {
    switch self {
    case .counter: .counter
    case .gauge: .gauge
    case .histogram(let histogram): histogram.bounds == Histogram.secondsBounds ? .seconds : .sizes
    }
  }
}
