import FoundationEssentials
import Glibc
import PKI
import Testing

@testable import ACMEDeviceCommand

@Suite("The folder of a web server")
struct WebrootTests {
  private let token: ChallengeToken
  private let answer: KeyAuthorization

  init() throws {
    token = try #require(ChallengeToken("to-ken_1"))
    answer = KeyAuthorization(token: token, thumbprint: "thumbprint")
  }

  @Test("an answer is a file that everyone may read, and nothing else, until it is removed")
  func put() async throws {
    try await withFolder { path in
      let webroot = try made(path)
      try webroot.put(answer, token: token)
      let file = "\(path)/www/.well-known/acme-challenge/\(token)"
      #expect(text(of: file) == answer.value)
      #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o644)
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/www/.well-known/acme-challenge") == ["\(token)"])
      try webroot.remove(token)
      #expect(text(of: file) == nil)
      try webroot.remove(token)
    }
  }

  @Test("what a kill has left is removed by the next run, and what is somebody else's is not")
  func leftovers() async throws {
    try await withFolder { path in
      try made(path).put(answer, token: token)
      let others = "\(path)/www/.well-known/acme-challenge/others"
      try Data("others".utf8).write(to: URL(filePath: others))
      try Webroot(folder: "\(path)/www", notes: path).clear()
      #expect(text(of: "\(path)/www/.well-known/acme-challenge/\(token)") == nil)
      #expect(text(of: others) == "others")
    }
  }

  @Test("a folder on the way that is a symbolic link is not followed", arguments: [".well-known", ".well-known/acme-challenge"])
  func linkedFolder(name: String) async throws {
    try await withFolder { path in
      let webroot = try made(path)
      try FileManager.default.createDirectory(atPath: "\(path)/elsewhere/acme-challenge", withIntermediateDirectories: true)
      if name.contains("/") { try FileManager.default.createDirectory(atPath: "\(path)/www/.well-known", withIntermediateDirectories: true) }
      try FileManager.default.createSymbolicLink(atPath: "\(path)/www/\(name)", withDestinationPath: "\(path)/elsewhere")
      let error = #expect(throws: FileError.self) { try webroot.put(answer, token: token) }
      #expect(error?.description.contains("no symbolic link") == true)
      #expect(try FileManager.default.subpathsOfDirectory(atPath: "\(path)/elsewhere") == ["acme-challenge"])
    }
  }

  @Test("a symbolic link in the place of the file, or of its draft, is replaced and not written through")
  func linkedFile() async throws {
    try await withFolder { path in
      let webroot = try made(path)
      let folder = "\(path)/www/.well-known/acme-challenge"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data("precious".utf8).write(to: URL(filePath: "\(path)/precious"))
      for name in ["\(token)", ".\(token).draft"] {
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: "\(path)/precious")
      }
      try webroot.put(answer, token: token)
      #expect(text(of: "\(path)/precious") == "precious")
      #expect(text(of: "\(folder)/\(token)") == answer.value)
    }
  }

  @Test("a folder that is not there is named")
  func missing() async throws {
    try await withFolder { path in
      let error = #expect(throws: FileError.self) { try Webroot(folder: "\(path)/none", notes: path).put(answer, token: token) }
      #expect(error?.description.hasPrefix("\(path)/none cannot be opened") == true)
    }
  }

  private func made(_ path: String) throws -> Webroot {
    try FileManager.default.createDirectory(atPath: "\(path)/www", withIntermediateDirectories: true)
    return Webroot(folder: "\(path)/www", notes: path)
  }
}
