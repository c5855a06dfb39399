import CoreMetrics
import FoundationEssentials
import Testing

@testable import Telemetry

@Suite struct TextExpositionTests {
  let registry = MetricsRegistry()

  private var text: String { TextExposition(of: registry).description }

  @Test("counters, gauges and labels are written as Prometheus reads them")
  func countersAndGauges() {
    registry.describe("orders_total", "Orders made,\nby outcome")
    Counter(label: "orders", dimensions: [("outcome", "valid"), ("ca", "a\"b\\c\nd")], factory: registry).increment(by: 3)
    Counter(label: "orders_total", dimensions: [("outcome", "failed")], factory: registry).increment()
    FloatingPointCounter(label: "spent", factory: registry).increment(by: 0.25)
    Gauge(label: "device-gateway.connections", factory: registry).record(7)
    let meter = Meter(label: "open", factory: registry)
    meter.increment(by: 3)
    meter.decrement()
    #expect(
      text == #"""
        # TYPE device_gateway_connections gauge
        device_gateway_connections 7
        # TYPE open gauge
        open 2
        # HELP orders_total Orders made,\nby outcome
        # TYPE orders_total counter
        orders_total{ca="a\"b\\c\nd",outcome="valid"} 3
        orders_total{outcome="failed"} 1
        # TYPE spent_total counter
        spent_total 0.25

        """#)
  }

  @Test("a timer is a histogram in seconds whose buckets include the smaller ones")
  func timers() {
    let timer = Timer(label: "call_duration", dimensions: [("method", "m")], factory: registry)
    for milliseconds in [1, 20, 20, 900_000] { timer.recordNanoseconds(Int64(milliseconds) * 1_000_000) }
    let lines = Set(text.split(separator: "\n").map(String.init))
    #expect(lines.contains("# TYPE call_duration_seconds histogram"))
    #expect(lines.contains(#"call_duration_seconds_bucket{method="m",le="0.001"} 1"#))
    #expect(lines.contains(#"call_duration_seconds_bucket{method="m",le="0.01"} 1"#))
    #expect(lines.contains(#"call_duration_seconds_bucket{method="m",le="0.025"} 3"#))
    #expect(lines.contains(#"call_duration_seconds_bucket{method="m",le="300"} 3"#))
    #expect(lines.contains(#"call_duration_seconds_bucket{method="m",le="+Inf"} 4"#))
    #expect(lines.contains(#"call_duration_seconds_sum{method="m"} 900.041"#))
    #expect(lines.contains(#"call_duration_seconds_count{method="m"} 4"#))
  }

  @Test("numbers that are none of the usual are written as the format has them")
  func numbers() {
    let gauge = Gauge(label: "g", factory: registry)
    for (value, written) in [(Double.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (1e300, "1e+300"), (-2, "-2")] {
      gauge.record(value)
      #expect(text.hasSuffix("g \(written)\n"))
    }
  }

  @Test("a counter never goes down, whatever it is told")
  func monotonic() {
    let counter = Counter(label: "c", factory: registry)
    counter.increment(by: 2)
    counter.increment(by: -5)
    #expect(text.hasSuffix("c_total 2\n"))
  }
}

@Suite struct MetricsRegistryTests {
  @Test("one name is one kind of metric: a second use as another kind counts nothing and breaks nothing")
  func kinds() {
    let registry = MetricsRegistry()
    Gauge(label: "x_total", factory: registry).record(1)
    Counter(label: "x", factory: registry).increment()
    #expect(TextExposition(of: registry).description == "# TYPE x_total gauge\nx_total 1\n")
  }

  @Test("labels that come without end take no memory without end")
  func bounded() {
    let registry = MetricsRegistry()
    for number in 0..<5_000 { Counter(label: "c", dimensions: [("n", "\(number)")], factory: registry).increment() }
    #expect(registry.all.count == MetricsRegistry.mostSeries)
  }

  @Test("counters and histograms go on after a restart where they were, gauges begin anew")
  func restart() throws {
    let first = MetricsRegistry()
    Counter(label: "c", dimensions: [("k", "v")], factory: first).increment(by: 40)
    Timer(label: "t", factory: first).recordNanoseconds(2_000_000)
    Gauge(label: "g", factory: first).record(5)
    let stored = try JSONEncoder().encode(first.snapshot())

    let second = MetricsRegistry()
    second.restore(try JSONDecoder().decode(MetricsSnapshot.self, from: stored))
    Counter(label: "c", dimensions: [("k", "v")], factory: second).increment(by: 2)
    Timer(label: "t", factory: second).recordNanoseconds(2_000_000)
    let text = TextExposition(of: second).description
    #expect(text.contains("c_total{k=\"v\"} 42\n"))
    #expect(text.contains("t_seconds_count 2\n"))
    #expect(text.contains("t_seconds_bucket{le=\"0.0025\"} 2\n"))
    #expect(!text.contains("g "))
  }

  @Test("a metric that became another kind in a newer version counts as the newer version says")
  func changedKind() {
    let old = MetricsRegistry()
    Counter(label: "x", factory: old).increment(by: 9)
    let new = MetricsRegistry()
    new.restore(old.snapshot())
    Gauge(label: "x_total", factory: new).record(1)
    #expect(TextExposition(of: new).description == "# TYPE x_total gauge\nx_total 1\n")
  }

  @Test(
    "stored entries that make no sense are left out",
    arguments: [
      #"{"series":{"name":"c_total","labels":[]},"counter":-1}"#,
      #"{"series":{"name":"c_total","labels":[]}}"#,
      #"{"series":{"name":"c_total","labels":[]},"histogram":{"bounds":[1],"counts":[18446744073709551615],"sum":1}}"#,
    ])
  func nonsense(entry: String) throws {
    let registry = MetricsRegistry()
    registry.restore(try JSONDecoder().decode(MetricsSnapshot.self, from: Data("{\"entries\":[\(entry)]}".utf8)))
    Counter(label: "c", factory: registry).increment()
    #expect(TextExposition(of: registry).description == "# TYPE c_total counter\nc_total 1\n")
  }

  @Test("a stored name cannot write lines of its own into the exposition")
  func hostileName() throws {
    let registry = MetricsRegistry()
    let stored = #"{"entries":[{"series":{"name":"a 1\nb","labels":[{"name":"x\"","value":"y"}]},"counter":1}]}"#
    registry.restore(try JSONDecoder().decode(MetricsSnapshot.self, from: Data(stored.utf8)))
    #expect(TextExposition(of: registry).description == "# TYPE a_1_b counter\na_1_b{x_=\"y\"} 1\n")
  }

  @Test("a change is announced once until it has been stored, and a gauge is nothing to store")
  func changes() async {
    let registry = MetricsRegistry()
    var changes = registry.changes.makeAsyncIterator()
    Gauge(label: "g", factory: registry).record(1)
    let counter = Counter(label: "c", factory: registry)
    counter.increment()
    counter.increment()
    await changes.next()
    #expect(registry.snapshot().entries.map(\.counter) == [2])
    counter.increment()
    await changes.next()
    #expect(registry.snapshot().entries.map(\.counter) == [3])
  }
}
