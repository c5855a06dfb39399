import AppWebsocket
import FoundationEssentials
import NIOConcurrencyHelpers
import PKI
import Testing

@testable import ACMEDeviceCommand

@Suite("The folder of a device")
struct CertificateFolderTests {
  private struct Interrupted: Error {}

  /// File operations that end at the given step, as a kill would end them.
  private static func files(endingAt last: Int) -> DurableFiles {
    let count = NIOLockedValueBox(0)
    return DurableFiles { _ in
      try count.withLockedValue {
        $0 += 1
        if $0 >= last { throw Interrupted() }
      }
    }
  }

  private let authority: TestAuthority

  init() throws {
    authority = try TestAuthority()
  }

  private func request(_ key: SigningKey) throws -> (CertificateRequest, CertificateChain) {
    let csr = try key.signingRequest(for: names("a.example", "b.example"))
    return (CertificateRequest(csr: csr, slot: .defaultSlot), try authority.issue(csr))
  }

  private func install(_ key: SigningKey, in path: String, files: DurableFiles = DurableFiles()) throws -> CertificateChain {
    let folder = CertificateFolder(path: path, files: files)
    let lock = try folder.prepare()
    defer { withExtendedLifetime(lock) {} }
    let (request, chain) = try request(key)
    try folder.begin(request, key: key)
    _ = try folder.install(chain, of: request)
    try folder.forgetRequest()
    return chain
  }

  /// The fingerprint of the certificate that a server which is told the four paths would use; nil if the set is not usable.
  private func usable(_ path: String) throws -> Fingerprint? {
    guard let key = text(of: "\(path)/key.pem"), let full = text(of: "\(path)/fullchain.pem"), let leaf = text(of: "\(path)/certificate.pem"),
      let issuers = text(of: "\(path)/chain.pem")
    else { return nil }
    let chain = try CertificateChain(pem: full)
    guard full == leaf + issuers, try SigningKey(pem: key).publicKey == chain.leaf.publicKey else { return nil }
    return chain.leaf.fingerprint
  }

  @Test("four plain paths, of which only the key is kept from others")
  func paths() async throws {
    try await withFolder { path in
      let chain = try install(try SigningKey(.p256), in: path + "/new")
      #expect(try usable(path + "/new") == chain.leaf.fingerprint)
      for (name, mode) in [("key.pem", 0o600), ("certificate.pem", 0o644), ("chain.pem", 0o644), ("fullchain.pem", 0o644)] {
        let real = URL(filePath: "\(path)/new/\(name)").resolvingSymlinksInPath().path
        #expect(try FileManager.default.attributesOfItem(atPath: real)[.posixPermissions] as? Int == mode)
      }
    }
  }

  @Test("a kill between any two steps of a renewal with a new key leaves the old set or the new one, never a mixture, and the next run succeeds")
  func killedRenewal() async throws {
    for step in 1... {
      let finished = try await withFolder { path in
        let old = try install(try SigningKey(.p256), in: path).leaf.fingerprint
        let key = try SigningKey(.p256)
        let finished: Bool
        do {
          _ = try install(key, in: path, files: Self.files(endingAt: step))
          finished = true
        } catch is Interrupted {
          finished = false
        }
        let left = try #require(try usable(path), "step \(step)")
        if finished { #expect(left != old) }
        let new = try install(key, in: path).leaf.fingerprint
        #expect(try usable(path) == new)
        return finished
      }
      if finished {
        #expect(step > 8)
        return
      }
    }
  }

  @Test("a kill while plain files are taken over changes nothing of what servers see")
  func killedAdoption() async throws {
    for step in 1... {
      let finished = try await withFolder { path in
        let key = try SigningKey(.p256)
        let (_, chain) = try request(key)
        for (name, text) in [
          ("key.pem", key.pem), ("certificate.pem", chain.leaf.pem), ("chain.pem", chain.issuers.map(\.pem).joined()), ("fullchain.pem", chain.pem),
        ] { try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)")) }
        var finished = true
        do {
          _ = try CertificateFolder(path: path, files: Self.files(endingAt: step)).prepare()
        } catch is Interrupted {
          finished = false
        }
        #expect(try usable(path) == chain.leaf.fingerprint, "step \(step)")
        // And from here a renewal with a new key may be killed anywhere too.
        for later in 1... {
          do {
            _ = try install(try SigningKey(.p256), in: path, files: Self.files(endingAt: later))
            break
          } catch is Interrupted {
            #expect(try usable(path) != nil, "step \(step), then \(later)")
          }
        }
        return finished
      }
      if finished { return }
    }
  }

  @Test("the key and the certificate that lie there as plain files are kept for renewals")
  func adoption() async throws {
    try await withFolder { path in
      let key = try SigningKey(.rsa2048)
      try Data(key.pem.utf8).write(to: URL(filePath: "\(path)/key.pem"))
      let folder = CertificateFolder(path: path)
      _ = try folder.prepare()
      #expect(try folder.key()?.publicKey == key.publicKey)
      #expect(try folder.installed() == nil)
    }
  }

  @Test("a request under way is found again with its key and all it has come to")
  func pending() async throws {
    try await withFolder { path in
      let folder = CertificateFolder(path: path)
      _ = try folder.prepare()
      let key = try SigningKey(.p256)
      var (request, chain) = try request(key)
      try folder.begin(request, key: key)
      request.stage = .delivered(chain, installAt: Instant(milliseconds: 7))
      try folder.store(request)
      #expect(try CertificateFolder(path: path).request() == request)
      _ = try folder.install(chain, of: request)
      #expect(try folder.installed() == InstalledCertificate(chain: chain, request: request))
      #expect(try folder.key()?.publicKey == key.publicKey)
    }
  }

  @Test("of the sets that were in use, only the last one is kept beside the present one")
  func oldSets() async throws {
    try await withFolder { path in
      for _ in 1...3 { _ = try install(try SigningKey(.p256), in: path) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/.acme-device/sets").count == 2)
    }
  }

  @Test("a second process is kept out")
  func lock() async throws {
    try await withFolder { path in
      let lock = try CertificateFolder(path: path).prepare()
      #expect(throws: FileError.self) { try CertificateFolder(path: path).prepare() }
      withExtendedLifetime(lock) {}
    }
  }

  @Test("a file that is not what this program writes is named, and nothing is guessed")
  func broken() async throws {
    try await withFolder { path in
      let folder = CertificateFolder(path: path)
      _ = try folder.prepare()
      try Data("{".utf8).write(to: URL(filePath: "\(path)/.acme-device/pending.json"))
      let error = #expect(throws: FileError.self) { try folder.request() }
      #expect(error?.description.contains("pending.json is no use") == true)
    }
  }
}
