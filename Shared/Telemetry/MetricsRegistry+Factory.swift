public import CoreMetrics

extension MetricsRegistry: MetricsFactory {
  /// A counter; its name ends in `_total`.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    handler(label, suffix: "_total", dimensions, .counter) ?? NOOPMetricsHandler.instance
  }

  /// A counter of amounts that are not whole.
  public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
    handler(label, suffix: "_total", dimensions, .counter) ?? NOOPMetricsHandler.instance
  }

  /// A gauge.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    handler(label, dimensions, .gauge) ?? NOOPMetricsHandler.instance
  }

  /// A gauge, or a histogram over decades when the values are to be summed up.
  public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    handler(label, dimensions, aggregate ? .sizes : .gauge) ?? NOOPMetricsHandler.instance
  }

  /// A histogram in seconds; its name ends in `_seconds`.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    handler(label, suffix: "_seconds", dimensions, .seconds) ?? NOOPMetricsHandler.instance
  }

  // Series are few and named by code, and a counter must not start again at zero: nothing is ever taken away.

  /// Keeps the series.
  public func destroyCounter(_ handler: any CounterHandler) {}
  /// Keeps the series.
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  /// Keeps the series.
  public func destroyMeter(_ handler: any MeterHandler) {}
  /// Keeps the series.
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  /// Keeps the series.
  public func destroyTimer(_ handler: any TimerHandler) {}

  /// By convention a counter's name ends in `_total`, and one with a unit names it.
  private func handler(_ label: String, suffix: String = "", _ dimensions: [(String, String)], _ kind: Kind) -> SeriesHandler? {
    let name = label.hasSuffix(suffix) ? label : label + suffix
    return slot(for: MetricSeries(name, labels: dimensions), kind: kind).map { SeriesHandler(registry: self, slot: $0) }
  }
}

/// What swift-metrics writes one series through.
private final class SeriesHandler: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
  private let registry: MetricsRegistry
  private let slot: Int

  init(registry: MetricsRegistry, slot: Int) {
    self.registry = registry
    self.slot = slot
  }

  func increment(by amount: Int64) { increment(by: Double(amount)) }

  func increment(by amount: Double) {
    registry.update(slot) { value in
      switch value {
      case .counter(let count) where amount > 0 && amount.isFinite: value = .counter(count + amount)
      case .gauge(let level): value = .gauge(level + amount)
      case .counter, .histogram: break
      }
    }
  }

  func decrement(by amount: Double) {
    registry.update(slot) { value in
      if case .gauge(let level) = value { value = .gauge(level - amount) }
    }
  }

  /// A counter that has been reset reads as a restart of the process, which is what a reader of the exposition expects of a drop.
  func reset() {
    registry.update(slot) { value in
      if case .counter = value { value = .counter(0) }
    }
  }

  func set(_ number: Int64) { set(Double(number)) }

  func set(_ number: Double) {
    registry.update(slot) { value in
      if case .gauge = value { value = .gauge(number) }
    }
  }

  func record(_ number: Int64) { record(Double(number)) }

  func record(_ number: Double) {
    registry.update(slot) { value in
      switch value {
      case .gauge: value = .gauge(number)
      case .histogram(var histogram) where number.isFinite:
        histogram.observe(number)
        value = .histogram(histogram)
      case .counter, .histogram: break
      }
    }
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
