import CSystemd
import FoundationEssentials
import Glibc
import Testing

@testable import Systemd

@Suite struct ListeningSocketTests {
  let folder = FileManager.default.temporaryDirectory.appending(component: "listening-\(UInt32.random(in: 0 ... .max))")

  private func withPath(_ name: String = "s.sock", _ body: (String) throws -> Void) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(component: name).path(percentEncoded: false))
  }

  @Test("a Unix socket has its mode, its path as address, and takes connections")
  func unixSocket() throws {
    try withPath { path in
      let socket = try ListeningSocket.bind(unixPath: path, mode: 0o620, name: "role")
      defer { socket.close() }
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o620)
      #expect(socket.address == .unix(path: path))
      #expect(socket.address.description == path)
      #expect(connections(to: path, atMost: 1) == 1)
    }
  }

  @Test("a socket that an ended process left is replaced, any other file is not")
  func staleSocket() throws {
    try withPath { path in
      try ListeningSocket.bind(unixPath: path).close()
      try ListeningSocket.bind(unixPath: path).close()
      unlink(path)
      try Data("mine".utf8).write(to: URL(filePath: path))
      #expect(throws: SystemdError.self) { try ListeningSocket.bind(unixPath: path) }
      #expect(try Data(contentsOf: URL(filePath: path)) == Data("mine".utf8))
    }
  }

  @Test("a path that does not fit into a Unix address is refused, with what to do")
  func longPath() throws {
    let error = #expect(throws: SystemdError.self) { try ListeningSocket.bind(unixPath: "/tmp/" + String(repeating: "x", count: 103)) }
    #expect(error?.code == .bind)
    #expect(error?.description.contains("shorter") == true)
  }

  @Test("an internet address is shown as people write it, with the port that the kernel chose", arguments: ["127.0.0.1", "::1"])
  func internetAddress(host: String) throws {
    let socket = try ListeningSocket.bind(host: host, port: 0)
    defer { socket.close() }
    guard case .internet(host, let port) = socket.address else {
      Issue.record("\(socket.address)")
      return
    }
    #expect(port > 0)
    #expect(socket.address.description == (host == "::1" ? "[::1]:\(port)" : "127.0.0.1:\(port)"))
  }

  @Test("a host name is refused: it could mean several addresses")
  func hostName() {
    #expect(throws: SystemdError.self) { try ListeningSocket.bind(host: "localhost", port: 0) }
  }

  @Test("the backlog that a second listen() lowered is put back")
  func backlog() throws {
    try withPath { path in
      let socket = try ListeningSocket.bind(unixPath: path)
      defer { socket.close() }
      #expect(listen(socket.descriptor, 1) == 0)
      let lowered = connections(to: path, atMost: 20)
      #expect(lowered < 20)
      try socket.restoreBacklog()
      #expect(connections(to: path, atMost: 20) == 20)
    }
  }

  @Test("restoring the backlog of a descriptor that is no socket is an error, not silence")
  func backlogOfNothing() {
    #expect(throws: SystemdError.self) { try ListeningSocket(descriptor: -1, name: "gone").restoreBacklog() }
  }

  /// How many connections the kernel queues at the path, nobody accepting, before it says "try again".
  private func connections(to path: String, atMost most: Int) -> Int {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    var open: [CInt] = []
    defer { for descriptor in open { close(descriptor) } }
    for _ in 0..<most {
      let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
      let isConnected = withUnsafeBytes(of: &address) {
        connect(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) == 0
      }
      open.append(descriptor)
      if !isConnected { return open.count - 1 }
    }
    return open.count
  }
}

@Suite struct InheritedSocketsTests {
  @Test("each socket can be claimed once, and what nobody claimed is known")
  func claims() {
    let (first, second) = (ListeningSocket(descriptor: 3, name: "http"), ListeningSocket(descriptor: 5, name: "http"))
    let other = ListeningSocket(descriptor: 4, name: "other")
    let inherited = InheritedSockets([first, other, second])
    #expect(inherited.claim("http") == [first, second])
    #expect(inherited.claim("http").isEmpty)
    #expect(inherited.claim("unknown").isEmpty)
    #expect(inherited.unclaimed == [other])
  }

  @Test("a process that was started by hand inherits nothing")
  func byHand() throws {
    #expect(try InheritedSockets.take().unclaimed.isEmpty)
  }
}
