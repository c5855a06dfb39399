import AsyncHTTPClient
public import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
public import PKI
import Synchronization

/// A CA for tests: strict to RFC 8555 and RFC 9773, and able to go wrong in every way that a real one can.
///
/// It holds the client to the RFCs (``Report/deviations``), counts what it was asked, and does what its ``Manners`` and the faults that are
/// scripted say. Challenges are really looked for, over HTTP.
public final class ModelAuthority: Sendable {
  /// The directory's URL.
  public let directory: String
  /// The PEM file to trust for its API; it issues under the same root.
  public let trust: String

  private let books: Mutex<Books>
  private let validations = AsyncStream.makeStream(of: Validation.self)
  /// How far its clock is ahead.
  private let ahead = Mutex(Duration.zero)

  private init(books: Books, trust: String) {
    self.books = Mutex(books)
    self.directory = books.url(.directory)
    self.trust = trust
  }

  /// Runs one beside `body`, on loopback.
  /// - Parameters:
  ///   - folder: for the file of its root.
  ///   - port: of its API; any free one if 0.
  public static func run<Value: Sendable>(
    _ manners: Manners, in folder: URL, port: Int = 0, _ body: @Sendable (ModelAuthority) async throws -> Value
  ) async throws -> Value {
    let now = Instant(Date())
    let issuer = try Issuer(now: now)
    let (certificate, key) = try issuer.serverCertificate(now: now)
    // The port is in all of the CA's URLs, so that the listener is there first.
    let reached = Mutex<ModelAuthority?>(nil)
    let listener = try await HTTPServer.listen(on: port, certificate: certificate, key: key) { request in
      reached.withLock { $0 }?.answer(request) ?? .page(status: 503)
    }
    let trust = folder.appending(path: "model-root.pem")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(issuer.rootPEM.utf8).write(to: trust)
    let base = "https://localhost:\(listener.localAddress?.port ?? port)"
    let authority = ModelAuthority(books: Books(base: base, issuer: issuer, manners: manners), trust: trust.path)
    reached.withLock { $0 = authority }
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let value = try await withThrowingTaskGroup(of: Value?.self) { tasks in
        tasks.addTask {
          await authority.validate(with: client)
          return nil
        }
        defer { tasks.cancelAll() }
        return try await body(authority)
      }
      try await listener.close()
      try await client.shutdown()
      return value
    } catch {
      try? await listener.close()
      try? await client.shutdown()
      throw error
    }
  }

  /// The time at the CA.
  public var now: Instant { Instant(Date()) + ahead.withLock { $0 } }

  /// What it saw so far.
  public var report: Report { books.withLock { $0.report } }

  /// How many scripted faults no request has met.
  public var unusedFaults: Int { books.withLock { $0.script.unused } }

  /// The next requests to a resource meet these faults, one each.
  public func script(_ faults: [Fault], at resource: Resource) { books.withLock { $0.script.add(faults, to: resource) } }

  /// All requests to a resource meet this fault, until it is nil.
  public func keep(_ fault: Fault?, at resource: Resource) { books.withLock { $0.script.keep(fault, at: resource) } }

  /// It changes its manners.
  public func behave(_ change: @Sendable (inout Manners) -> Void) { books.withLock { change(&$0.manners) } }

  /// Time passes at the CA.
  public func pass(_ duration: Duration) { ahead.withLock { $0 += duration } }

  /// All nonces that are out are good no more.
  public func expireNonces() { books.withLock { $0.nonces.expire() } }

  /// It forgets its accounts, as a CA that was set up anew.
  public func forgetAccounts() { books.withLock { $0.accounts = [:] } }

  /// It says this about the certificate with this identifier (RFC 9773, section 4.1).
  public func answer(_ answer: RenewalAnswer?, about identifier: String) { books.withLock { $0.renewalAnswers[identifier] = answer } }

  /// The identifiers of all certificates that it issued, by their names.
  public var identifiers: [Set<String>: [String]] {
    books.withLock { books in Dictionary(grouping: books.certificates.values, by: \.names).mapValues { $0.map(\.identifier) } }
  }

  private func answer(_ request: Incoming) -> Answer {
    books.withLock { books in
      let now = self.now
      var answer = books.answer(request, now: now)
      if !answer.headers.contains(name: "date") { answer.headers.add(name: "date", value: Self.httpDate(now)) }
      for validation in books.started { validations.continuation.yield(validation) }
      books.started = []
      return answer
    }
  }

  /// IMF-fixdate (RFC 9110, section 5.6.7).
  private static func httpDate(_ moment: Instant) -> String {
    var (seconds, parts) = (time_t(moment.milliseconds / 1000), tm())
    gmtime_r(&seconds, &parts)
    var text = [UInt8](repeating: 0, count: 32)
    let length = text.withUnsafeMutableBytes { strftime($0.baseAddress, $0.count, "%a, %d %b %Y %H:%M:%S GMT", &parts) }
    return String(decoding: text.prefix(length), as: UTF8.self)
  }

  /// Looks for the answers to challenges, until it is cancelled.
  private func validate(with client: HTTPClient) async {
    await withDiscardingTaskGroup { tasks in
      for await validation in validations.stream {
        tasks.addTask {
          let manners = self.books.withLock { $0.manners }
          try? await Task.sleep(for: .milliseconds(manners.validationMilliseconds))
          let refusal = await manners.perspectives.look(for: validation, with: client)
          self.books.withLock { $0.validated(validation, refusal: refusal, now: self.now) }
        }
      }
    }
  }
}
