/// One name of a metric with one set of labels: what Prometheus calls a time series.
public struct MetricSeries: Sendable, Hashable, Codable, Comparable {
  /// A label, `name="value"`.
  public struct Label: Sendable, Hashable, Codable, Comparable {
    /// Letters, digits and `_`.
    public let name: String
    /// Any text, at most 128 bytes.
    public let value: String

    /// By name, then by value.
    public static func < (left: Label, right: Label) -> Bool { (left.name, left.value) < (right.name, right.value) }
  }

  /// Letters, digits, `_` and `:`.
  public let name: String
  /// In the order of their names.
  public let labels: [Label]

  /// Names are made fit for the exposition format (`acme.orders` is `acme_orders`), values are bounded.
  public init(_ name: String, labels: [(String, String)] = []) {
    self.name = Self.identifier(name, allowing: ":")
    self.labels = labels.map { Label(name: Self.identifier($0.0), value: String(decoding: $0.1.utf8.prefix(128), as: UTF8.self)) }.sorted()
  }

  /// By name, then by labels.
  public static func < (left: MetricSeries, right: MetricSeries) -> Bool {
    left.name != right.name ? left.name < right.name : left.labels.lexicographicallyPrecedes(right.labels)
  }

  private static func identifier(_ text: String, allowing extra: Character? = nil) -> String {
    let safe = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == extra ? $0 : "_" })
    return safe.first?.isNumber ?? true ? "_" + safe : safe
  }
}

/// What a series holds.
public enum MetricValue: Sendable, Hashable {
  /// Only grows.
  case counter(Double)
  /// Is what it is now; means nothing once the process has ended.
  case gauge(Double)
  /// How many observations fell into which range.
  case histogram(Histogram)
}

/// Counts of observations by size, in fixed ranges.
public struct Histogram: Sendable, Hashable, Codable {
  /// The inclusive upper bounds of the ranges, ascending; a last range without bound follows.
  public let bounds: [Double]
  /// The observations in each range: one more than there are bounds.
  public private(set) var counts: [UInt64]
  /// The sum of all observations.
  public private(set) var sum: Double

  /// From a fast local call to a CA that takes its time, in seconds.
  public static let secondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
  /// Sizes and numbers of which nothing is known but that they span decades.
  public static let decadesBounds: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000, 100_000, 1_000_000]

  /// An empty histogram.
  public init(bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
    sum = 0
  }

  /// How many observations there were.
  public var count: UInt64 { counts.reduce(0, &+) }

  mutating func observe(_ value: Double) {
    let range = bounds.firstIndex { value <= $0 } ?? bounds.count
    counts[range] &+= 1
    sum += value
  }

  /// Adds the observations of another histogram of the same ranges; false, and nothing added, when they differ or make no sense.
  mutating func add(_ other: Histogram) -> Bool {
    guard other.bounds == bounds, other.counts.count == counts.count, other.sum.isFinite else { return false }
    for range in counts.indices { counts[range] &+= other.counts[range] }
    sum += other.sum
    return true
  }
}
