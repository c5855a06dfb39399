/// Readings in the Prometheus text exposition format, version 0.0.4.
enum Exposition {
  /// The readings of several services as one text: all samples of a metric stand together under one HELP and one TYPE, as the format wants, and each
  /// carries the service's name in the label `service`.
  static func joined(_ readings: [(service: String, text: String)]) -> String {
    var order: [Substring] = []
    var families: [Substring: Family] = [:]
    for (service, text) in readings {
      // A histogram's samples have other names than their metric, so a sample belongs to the metric that was described last.
      var metric: Substring = ""
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ", maxSplits: 3)
        if line.hasPrefix("#") {
          guard words.count > 2, ["HELP", "TYPE"].contains(words[1]) else { continue }
          metric = words[2]
          if families[metric] == nil { order.append(metric) }
          families[metric, default: Family()].describe(words[1], line)
        } else {
          if families[metric] == nil { order.append(metric) }
          families[metric, default: Family()].samples.append(labelled(line, service))
        }
      }
    }
    return order.compactMap { families[$0]?.lines }.joined().map { $0 + "\n" }.joined()
  }

  private struct Family {
    private var descriptions: [(keyword: Substring, line: Substring)] = []
    var samples: [String] = []

    var lines: [String] { descriptions.map { String($0.line) } + samples }

    mutating func describe(_ keyword: Substring, _ line: Substring) {
      if !descriptions.contains(where: { $0.keyword == keyword }) { descriptions.append((keyword, line)) }
    }
  }

  private static func labelled(_ sample: Substring, _ service: String) -> String {
    guard let end = sample.firstIndex(where: { $0 == "{" || $0 == " " }) else { return String(sample) }
    let name = sample[..<end]
    let label = "service=\"\(service)\""
    guard sample[end] == "{" else { return "\(name){\(label)}\(sample[end...])" }
    let rest = sample[sample.index(after: end)...]
    return "\(name){\(label)\(rest.hasPrefix("}") ? "" : ",")\(rest)"
  }
}
