/// The counters and histograms of a process at one moment, as they are stored: a service that ends when idle goes on counting in its next process.
public struct MetricsSnapshot: Sendable, Hashable, Codable {
  struct Entry: Sendable, Hashable, Codable {
    let series: MetricSeries
    let counter: Double?
    let histogram: Histogram?

    /// Nil when the entry is neither, or its number is none that counting leads to.
    var value: MetricValue? {
      if let counter, counter >= 0, counter.isFinite { return .counter(counter) }
      return histogram.map(MetricValue.histogram)
    }
  }

  let entries: [Entry]

  init(_ series: [(series: MetricSeries, value: MetricValue)]) {
    entries = series.compactMap { series, value in
      switch value {
      case .counter(let count): Entry(series: series, counter: count, histogram: nil)
      case .histogram(let histogram): Entry(series: series, counter: nil, histogram: histogram)
      case .gauge: nil
      }
    }
  }
}
