import FoundationEssentials
import Glibc
import Testing

@testable import ServiceRuntime

@Suite struct AtomicFileTests {
  @Test("a reader finds the old content or the new, never a part, while others write")
  func neverTorn() async throws {
    try await withTemporaryFolder { folder in
      let file = AtomicFile(folder.appending(component: "order.json"))
      let contents = (0..<4).map { [UInt8](repeating: $0, count: 200_000 + Int($0)) }
      try file.write(contents[0])
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for content in contents {
          tasks.addTask { for _ in 0..<20 { try file.write(content) } }
        }
        tasks.addTask {
          for _ in 0..<100 {
            let read = try #require(try file.read(limit: 1 << 20))
            #expect(contents.contains(read))
          }
        }
        try await tasks.waitForAll()
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.filePath) == ["order.json"])
    }
  }

  @Test("the file has the mode asked for, whatever the umask", arguments: [0o600, 0o644, 0o666] as [UInt32])
  func mode(mode: UInt32) async throws {
    try await withTemporaryFolder { folder in
      let file = AtomicFile(folder.appending(component: "f"))
      try file.write([1], mode: mode)
      var status = stat()
      #expect(stat(file.url.filePath, &status) == 0 && status.st_mode & 0o777 == mode)
    }
  }

  @Test("a file that is not there reads as none, and can be removed")
  func absent() async throws {
    try await withTemporaryFolder { folder in
      let file = AtomicFile(folder.appending(component: "f"))
      #expect(try file.read(limit: 10) == nil)
      try file.remove()
      try file.write([1])
      try file.remove()
      #expect(try file.read(limit: 10) == nil)
    }
  }

  @Test("more bytes than make sense are refused, exactly as many are not")
  func limit() async throws {
    try await withTemporaryFolder { folder in
      let file = AtomicFile(folder.appending(component: "f"))
      try file.write([1, 2, 3])
      #expect(try file.read(limit: 3) == [1, 2, 3])
      let error = #expect(throws: ServiceRuntimeError.self) { try file.read(limit: 2) }
      #expect(error?.code == .tooLarge)
    }
  }

  @Test("when the file cannot be replaced nothing is left of the attempt, and the error names the file")
  func failedWrite() async throws {
    try await withTemporaryFolder { folder in
      let file = AtomicFile(folder.appending(component: "taken"))
      try FileManager.default.createDirectory(at: file.url.appending(component: "inside"), withIntermediateDirectories: true)
      let error = #expect(throws: ServiceRuntimeError.self) { try file.write([1]) }
      #expect(error?.subject.hasSuffix("/taken") == true)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.filePath) == ["taken"])
    }
  }

  @Test("what a killed writer left is no file, and goes at the next start; other hidden files stay")
  func drafts() async throws {
    try await withTemporaryFolder { folder in
      try AtomicFile.makeFolder(at: folder.appending(component: "below"))
      for path in [".a.1f.draft", ".metrics.json", "b", "a", "below/.c.2e.draft"] { try AtomicFile(folder.appending(path: path)).write([1]) }
      #expect(try AtomicFile.files(in: folder).map(\.url.lastPathComponent) == ["a", "b", "below"])
      AtomicFile.removeDrafts(below: folder)
      #expect(try Set(FileManager.default.subpathsOfDirectory(atPath: folder.filePath)) == [".metrics.json", "a", "b", "below"])
    }
  }

  @Test("what is no regular file is refused and not waited for")
  func fifo() async throws {
    try await withTemporaryFolder { folder in
      let file = AtomicFile(folder.appending(component: "pipe"))
      #expect(mkfifo(file.url.filePath, 0o600) == 0)
      let error = #expect(throws: ServiceRuntimeError.self) { try file.read(limit: 10) }
      #expect(error?.cause == "is no regular file")
    }
  }
}

@Suite struct CredentialsTests {
  @Test("a credential is read byte for byte, and one that was not handed over is none")
  func read() async throws {
    try await withTemporaryFolder { folder in
      try AtomicFile(folder.appending(component: "device")).write(Array("secret\n".utf8))
      let credentials = Credentials(folder: folder)
      #expect(try credentials.read("device") == Array("secret\n".utf8))
      #expect(try credentials.read("admin") == nil)
      #expect(try Credentials(folder: nil).read("device") == nil)
    }
  }

  @Test("a name that would leave the folder is refused", arguments: ["", ".", "..", "../etc/passwd", "/etc/passwd", "a/b"])
  func badNames(name: String) {
    let error = #expect(throws: ServiceRuntimeError.self) { try Credentials(folder: nil).read(name) }
    #expect(error?.code == .badName)
  }
}
