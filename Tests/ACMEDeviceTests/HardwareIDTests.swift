import AppWebsocket
import FoundationEssentials
import Testing

@testable import ACMEDeviceCommand

@Suite("The id of a host")
struct HardwareIDTests {
  @Test("it is made from the machine id, always the same, and does not tell it")
  func ofMachine() async throws {
    try await withFolder { path in
      let file = "\(path)/machine-id"
      try Data("0123456789abcdef0123456789abcdef\n".utf8).write(to: URL(filePath: file))
      #expect(HardwareID.ofMachine(idFile: file)?.value == "cb2807d32498648f48e8df3d4c57da90")
    }
  }

  @Test("a host without a machine id has none", arguments: ["", "uninitialized\n"])
  func none(content: String) async throws {
    try await withFolder { path in
      try Data(content.utf8).write(to: URL(filePath: "\(path)/machine-id"))
      #expect(HardwareID.ofMachine(idFile: "\(path)/machine-id") == nil)
      #expect(HardwareID.ofMachine(idFile: "\(path)/none") == nil)
    }
  }
}
