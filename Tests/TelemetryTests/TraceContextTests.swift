import FoundationEssentials
import Telemetry
import Testing

@Suite struct TraceContextTests {
  static let example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  @Test("a traceparent is read into its parts and written as it was")
  func parts() throws {
    let context = try #require(TraceContext(traceparent: Self.example))
    #expect(context.traceID == "0af7651916cd43dd8448eb211c80319c")
    #expect(context.spanID == "b7ad6b7169203331")
    #expect(context.flags == 1)
    #expect("\(context)" == Self.example)
  }

  @Test(
    "what is no traceparent of version 00 is refused",
    arguments: [
      "", "00", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
      "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1", "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319\n-b7ad6b7169203331-01",
    ])
  func refused(text: String) {
    #expect(TraceContext(traceparent: text) == nil)
  }

  @Test("a new trace is a valid one, and no two are the same")
  func made() {
    let made = (0..<100).map { _ in TraceContext.make() }
    #expect(Set(made.map(\.traceID)).count == 100)
    for context in made { #expect(TraceContext(traceparent: context.traceparent) == context) }
  }

  @Test("a child is another step of the same trace")
  func child() throws {
    let context = try #require(TraceContext(traceparent: Self.example))
    let child = context.child()
    #expect(child.traceID == context.traceID && child.flags == context.flags && child.spanID != context.spanID)
  }

  @Test("in JSON it is the one string, and another string is an error")
  func json() throws {
    let context = try #require(TraceContext(traceparent: Self.example))
    #expect(String(decoding: try JSONEncoder().encode([context]), as: UTF8.self) == "[\"\(Self.example)\"]")
    #expect(try JSONDecoder().decode([TraceContext].self, from: Data("[\"\(Self.example)\"]".utf8)) == [context])
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([TraceContext].self, from: Data("[\"00-1-2-3\"]".utf8)) }
  }
}
