/// The Prometheus text exposition format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
public struct TextExposition: Sendable, CustomStringConvertible {
  /// The exposition, line by line, with a line break at the end of each.
  public let description: String

  /// What the registry holds now.
  public init(of registry: MetricsRegistry) {
    let help = registry.help
    var text = ""
    var name: String?
    for (series, value) in registry.all {
      if series.name != name {
        name = series.name
        if let help = help[series.name] { text += "# HELP \(series.name) \(Self.escaped(help))\n" }
        text += "# TYPE \(series.name) \(Self.type(of: value))\n"
      }
      text += Self.samples(series, value)
    }
    description = text
  }

  private static func samples(_ series: MetricSeries, _ value: MetricValue) -> String {
    switch value {
    case .counter(let number), .gauge(let number):
      return sample(series.name, series.labels, number)
    case .histogram(let histogram):
      var text = ""
      var count: UInt64 = 0
      // The format's ranges all begin at zero: each bucket counts those below it too.
      for (bound, observations) in zip(histogram.bounds + [.infinity], histogram.counts) {
        count &+= observations
        let label = MetricSeries.Label(name: "le", value: Self.number(bound))
        text += sample(series.name + "_bucket", series.labels + [label], Double(count))
      }
      return text + sample(series.name + "_sum", series.labels, histogram.sum) + sample(series.name + "_count", series.labels, Double(count))
    }
  }

  private static func sample(_ name: String, _ labels: [MetricSeries.Label], _ value: Double) -> String {
    let list = labels.map { "\($0.name)=\"\(escaped($0.value, quoted: true))\"" }.joined(separator: ",")
    return "\(name)\(list.isEmpty ? "" : "{\(list)}") \(number(value))\n"
  }

  private static func type(of value: MetricValue) -> String {
    switch value {
    case .counter: "counter"
    case .gauge: "gauge"
    case .histogram: "histogram"
    }
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return Int64(exactly: value).map(String.init) ?? "\(value)"
  }

  private static func escaped(_ text: String, quoted: Bool = false) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quoted: result += "\\\""
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
