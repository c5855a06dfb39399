import Testing

@testable import ACMEConnectorCommand

@Suite("Metrics of all services")
struct ExpositionTests {
  @Test("the samples of a metric stand together, described once, each with its service")
  func joined() {
    let first = "# HELP calls Calls.\n# TYPE calls counter\ncalls{method=\"A\"} 1\n# TYPE time histogram\ntime_sum 2\ntime_count 3\n"
    let second = "# HELP calls Calls.\n# TYPE calls counter\ncalls 4\n"
    #expect(
      Exposition.joined([("one", first), ("two", second)]) == """
        # HELP calls Calls.
        # TYPE calls counter
        calls{service="one",method="A"} 1
        calls{service="two"} 4
        # TYPE time histogram
        time_sum{service="one"} 2
        time_count{service="one"} 3

        """)
  }

  @Test("an empty list of labels stays a list")
  func emptyLabels() {
    #expect(Exposition.joined([("one", "up{} 1\n")]) == "up{service=\"one\"} 1\n")
  }
}
