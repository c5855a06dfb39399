import Crypto
import FoundationEssentials
import PKI
import ServiceRuntime
import Testing

@testable import ACMEClient

@Suite("Accounts and their keys")
struct AccountTests {
  @Test("contacts become URLs with one address each and no header fields")
  func contacts() {
    #expect(
      Contact.urls(["admin@a.example", " mailto:b@a.example?subject=x ", "mailto:c@a.example,d@a.example", "", "admin@a.example", "tel:+4970317305"])
        == ["mailto:admin@a.example", "mailto:b@a.example", "mailto:c@a.example", "mailto:d@a.example", "tel:+4970317305"])
  }

  @Test("an error about a key says its URI without the token's PIN")
  func hiddenPIN() {
    let error = #expect(throws: ACMEError.self) { try SystemKey(uri: "pkcs11:token=ca;object=account?pin-value=1234&module-name=x") }
    #expect(error?.subject == "pkcs11:token=ca;object=account")
  }

  @Test("a key is made once, for its owner's eyes only, and is the same when it is opened again")
  func madeOnce() async throws {
    try await withFolder { folder in
      let made = try await AccountKeys(folder: folder).key(uri: nil, directory: CA.url("directory"))
      let opened = try await AccountKeys(folder: folder).key(uri: nil, directory: CA.url("directory"))
      let other = try await AccountKeys(folder: folder).key(uri: nil, directory: CA.url("staging"))
      #expect(made.isNew && !opened.isNew && other.isNew)
      #expect(made.key.publicKey == opened.key.publicKey && made.key.publicKey != other.key.publicKey)
      for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
        let mode = try FileManager.default.attributesOfItem(atPath: folder.appending(component: file).path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
      }
    }
  }

  @Test("a key that is a file is followed by its successor, and any other key is not changed here", arguments: [true, false])
  func successor(isNamed: Bool) async throws {
    try await withFolder { folder in
      let keys = AccountKeys(folder: folder)
      let uri = isNamed ? "file:\(folder.appending(component: "named.pem").path)" : nil
      if let uri { try AtomicFile(URL(filePath: String(uri.dropFirst(5)))).write(Array(P256.Signing.PrivateKey().pemRepresentation.utf8)) }
      let old = try await keys.key(uri: uri, directory: CA.url("directory")).key.publicKey
      #expect(try await keys.successor(uri: uri, directory: CA.url("directory")) == nil)
      let next = try await keys.makeSuccessor(uri: uri, directory: CA.url("directory")).publicKey
      #expect(try await AccountKeys(folder: folder).successor(uri: uri, directory: CA.url("directory"))?.publicKey == next && next != old)
      #expect(try await keys.key(uri: uri, directory: CA.url("directory")).key.publicKey == old)
      try await keys.succeed(uri: uri, directory: CA.url("directory"))
      #expect(try await keys.key(uri: uri, directory: CA.url("directory")).key.publicKey == next)
      #expect(try await keys.successor(uri: uri, directory: CA.url("directory")) == nil)
      let error = await #expect(throws: ACMEError.self) {
        _ = try await keys.makeSuccessor(uri: "pkcs11:object=account?pin-value=1234", directory: CA.url("directory"))
      }
      #expect(error?.subject == "pkcs11:object=account" && error?.cause.contains("authority.accountKey") == true)
    }
  }

  @Test("a key that a URI names signs as ES256 wants it")
  func signature() async throws {
    try await withFolder { folder in
      let key = P256.Signing.PrivateKey()
      let file = folder.appending(component: "key.pem")
      try AtomicFile(file).write(Array(key.pemRepresentation.utf8))
      let opened = try await AccountKeys(folder: folder).key(uri: "file:\(file.path)", directory: CA.url("directory"))
      #expect(opened.key.publicKey == JSONWebKey(key.publicKey) && !opened.isNew)
      let signature = try opened.key.sign(Array("message".utf8))
      #expect(signature.count == 64)
      #expect(key.publicKey.isValidSignature(try P256.Signing.ECDSASignature(rawRepresentation: signature), for: Data("message".utf8)))
    }
  }

  @Test(
    "a key that is missing, encrypted, of another kind or open to all is refused with its name",
    arguments: ["missing", "p384", "garbage", "encrypted", "chmod o-rwx"])
  func refused(kind: String) async throws {
    try await withFolder { folder in
      let file = folder.appending(component: "\(kind).pem")
      switch kind {
      case "p384": try AtomicFile(file).write(Array(P384.Signing.PrivateKey().pemRepresentation.utf8))
      case "garbage": try AtomicFile(file).write(Array("no key".utf8))
      case "encrypted": try AtomicFile(file).write(Array(Self.encrypted.utf8))
      case "chmod o-rwx": try AtomicFile(file).write(Array(P256.Signing.PrivateKey().pemRepresentation.utf8), mode: 0o644)
      default: break
      }
      let error = await #expect(throws: ACMEError.self) {
        _ = try await AccountKeys(folder: folder).key(uri: "file:\(file.path)", directory: CA.url("directory"))
      }
      #expect(error?.code == .badKey && error?.description.contains(kind) == true)
    }
  }

  @Test("an account is found again by directory and key")
  func book() throws {
    try withFolder { folder in
      let book = AccountBook(folder: folder)
      let entry = AccountEntry(directory: CA.url("directory"), thumbprint: "thumbprint", url: CA.url("account/1"), contact: ["mailto:a@a.example"])
      try book.note(entry)
      #expect(try book.entry(of: "thumbprint", at: CA.url("directory")) == entry)
      #expect(try book.entry(of: "another key", at: CA.url("directory")) == nil)
      #expect(try book.entry(of: "thumbprint", at: CA.url("staging")) == nil)
      #expect(book.knowsAccount(at: CA.url("directory")) && !book.knowsAccount(at: CA.url("staging")))
      try book.forget("thumbprint", at: CA.url("directory"))
      #expect(try book.entry(of: "thumbprint", at: CA.url("directory")) == nil)
    }
  }

  @Test("an external account is for all authorities or for the one it names")
  func externalAccount() throws {
    try withFolder { folder in
      let credentials = Credentials(folder: folder)
      #expect(try ExternalAccount.read(from: credentials, for: CA.url("directory")) == nil)
      let file = folder.appending(component: ExternalAccount.credential)
      try Data(#"{"kid":"k","hmacKey":"AQID"}"#.utf8).write(to: file)
      #expect(try ExternalAccount.read(from: credentials, for: CA.url("directory"))?.hmacKey == [1, 2, 3])
      try Data(#"{"https://ca.example":{"kid":"k","hmacKey":"AQID=="},"https://b.example":{"kid":"b","hmacKey":"AQID"}}"#.utf8).write(to: file)
      #expect(try ExternalAccount.read(from: credentials, for: CA.url("directory"))?.kid == "k")
      #expect(try ExternalAccount.read(from: credentials, for: CA.url("other")) == nil)
      for broken in ["", "[]", #"{"kid":"","hmacKey":"AQID"}"#, #"{"kid":"k","hmacKey":"?"}"#] {
        try Data(broken.utf8).write(to: file)
        let error = #expect(throws: ACMEError.self) { _ = try ExternalAccount.read(from: credentials, for: CA.url("directory")) }
        #expect(error?.code == .accountNeeded && error?.description.contains("AQID") == false)
      }
    }
  }

  @Test(
    "only an https URL is a resource, letter for letter",
    arguments: [
      ("https://ca.example/A%2fb?c", true), ("http://ca.example/", false), ("https://", false), ("https://u@ca.example/", false),
      ("https://ca.example/a b", false), ("/relative", false), ("https://ca.example/\u{7}", false),
    ])
  func resources(text: String, isOne: Bool) {
    #expect(ResourceURL(text)?.value == (isOne ? text : nil))
  }

  @Test("a proxy is taken from the environment, but not for excepted hosts")
  func proxies() {
    let proxies = ProxyEnvironment(["https_proxy": "http://user:secret@proxy.example:3128", "NO_PROXY": "localhost,.corp.example, exact.example"])
    #expect(proxies.proxy(for: "ca.example") == .init(host: "proxy.example", port: 3128, user: "user", password: "secret"))
    for host in ["localhost", "ca.corp.example", "corp.example", "EXACT.example"] { #expect(proxies.proxy(for: host) == nil) }
    #expect(proxies.proxy(for: "notcorp.example") != nil)
    #expect(ProxyEnvironment([:]).proxy(for: "ca.example") == nil)
    #expect(ProxyEnvironment(["HTTPS_PROXY": "proxy.example:8080"]).proxy(for: "ca.example")?.port == 8080)
    #expect(ProxyEnvironment(["HTTPS_PROXY": "proxy.example:8080", "NO_PROXY": "*"]).proxy(for: "ca.example") == nil)
  }

  private static let encrypted = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgNFNqhaGr5CgICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEO3CGGEg4gzQ9nIwrVTtdzcEgZAM
    -----END ENCRYPTED PRIVATE KEY-----
    """
}
