import ForeignPython
import FoundationEssentials
import RawSocket
import Testing

@testable import Varlink

@Suite("Against the PyPI package varlink", .timeLimit(.minutes(1)))
struct ForeignTests {
  @Test("its client has calls, streams, errors and introspection from our server")
  func client() async throws {
    try await TestServer.run { server in
      let said = try await ForeignPython.run("varlink-client.py", server.path).split(separator: "\n").map(String.init)
      let text = String(decoding: PackageResources.com_example_test_varlink, as: UTF8.self)
      #expect(said.count == 9)
      #expect(said.first == #"{"info": {"interfaces": ["org.varlink.service", "com.example.test"], "product": "test"}}"#)
      let description = try JSONDecoder().decode([String: String].self, from: Data(said.dropFirst().first?.utf8 ?? "".utf8))
      #expect(description["description"] == text)
      #expect(
        Array(said.dropFirst(2)) == [
          #"{"echo": {"text": "gr\u00fc\u00df dich"}}"#,
          #"{"stream": [1, 2, 3]}"#,
          #"{"expectedMore": ["org.varlink.service.ExpectedMore", {}]}"#,
          #"{"fault": ["com.example.test.Refusal", {"reason": "on purpose"}]}"#,
          #"{"after": {"text": "still here"}}"#,
          #"{"sync": {"text": "after a oneway"}}"#,
          #"{"unknown": ["org.varlink.service.MethodNotImplemented", {"method": "com.example.test.Missing"}]}"#,
        ])
      #expect(await server.probe.next() == "from afar")
    }
  }

  @Test("its server answers our client with replies, streams, errors and introspection")
  func server() async throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().path()
    let sockets = try TemporaryFolder()
    let path = sockets.path + "/python"
    try await ForeignPython.run("varlink-server.py", path, folder) {
      let client = VarlinkClient(path: path)
      #expect(try await client.call(Test.Echo.self, .init(text: "grüß dich")).text == "grüß dich")
      let (numbers, continuation) = AsyncStream.makeStream(of: Int.self)
      let last = try await client.stream(Test.Count.self, .init(to: 3)) { continuation.yield($0.number) }
      #expect(last.number == 3)
      continuation.finish()
      #expect(await numbers.reduce(into: []) { $0.append($1) } == [1, 2])
      await #expect(throws: Test.Refusal(reason: "on purpose")) { try await client.call(Test.Fail.self, .init(reason: "on purpose")) }
      let description = try await client.call(ServiceInterface.GetInterfaceDescription.self, .init(interface: "com.example.test")).description
      #expect(description == VarlinkInterface.test.text)
      #expect(try await client.call(ServiceInterface.GetInfo.self, NoMembers()).vendor == "Varlink")
    }
  }
}
