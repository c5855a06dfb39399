import FoundationEssentials
import Logging
import PKI
import ServiceRuntime
import Telemetry

/// What is kept of one request: enough to take the order up after a kill, and the chain until the caller has it.
struct JournalEntry: Codable, Sendable, Hashable {
  /// The caller's id.
  var request: String
  var directory: ResourceURL
  var account: ResourceURL
  /// The CSR that the order is for.
  var csrHash: Fingerprint
  var names: [DNSName]
  /// When the request came first.
  var since: Instant
  /// How many newOrder requests were sent, or may have been: each is counted before.
  var newOrders: Int
  var stage: Stage
  /// The certificate that the CA did not let this request replace: newOrder is sent without it from then on.
  var refusedReplacement: CertificateIdentifier?

  enum Stage: Codable, Sendable, Hashable {
    /// No order is open: the last one came to nothing.
    case none
    /// newOrder may have been sent; its answer is not known.
    case intended
    /// The CA has an order.
    case ordered(ResourceURL)
    /// The certificate is issued: the chain (PEM, without root) and its alternates.
    case issued(order: ResourceURL, chain: String, alternates: [String])
  }

  /// The order's URL, once there is one.
  var order: ResourceURL? {
    switch stage {
    case .none, .intended: nil
    case .ordered(let url), .issued(let url, _, _): url
    }
  }

  /// Whether the CA may hold an order that still waits for this request.
  var isOpen: Bool {
    switch stage {
    case .none, .issued: false
    case .intended, .ordered: true
    }
  }
}

/// The orders on disk, a file for each request. When a function that changes an entry returns, the change is on disk.
actor OrderJournal {
  private let folder: URL
  private var entries: [String: JournalEntry] = [:]

  /// Reads what is there. A file that makes no sense is set aside.
  init(folder: URL, logger: Logger) throws {
    self.folder = folder
    try AtomicFile.makeFolder(at: folder)
    for file in try AtomicFile.files(in: folder) where file.url.pathExtension == "json" {
      do {
        guard let content = try file.read(limit: 4 << 20) else { continue }
        let entry = try JSONDecoder().decode(JournalEntry.self, from: Data(content))
        entries[entry.request] = entry
      } catch {
        let aside = try file.setAside()
        logger.log(
          .fileDamaged, "an order on disk cannot be read and is set aside", error: error, metadata: [.file: aside.path(percentEncoded: false)])
      }
    }
  }

  /// The entry of a request.
  subscript(request: String) -> JournalEntry? { entries[request] }

  /// All entries, the oldest first.
  var all: [JournalEntry] { entries.values.sorted { ($0.since, $0.request) < ($1.since, $1.request) } }

  /// newOrder is about to be sent: it is counted before.
  func intend(_ request: String) throws {
    try change(request) { entry in
      entry.newOrders += 1
      entry.stage = .intended
    }
  }

  /// The CA has refused newOrder, or did not get it: there is no order, nothing is counted, and the entry is at the stage before.
  func refused(_ request: String, before stage: JournalEntry.Stage) throws {
    try change(request) { entry in
      entry.newOrders -= 1
      entry.stage = stage
    }
  }

  /// The CA has refused newOrder for the certificate that it was to replace. There is no order, and the request stays counted.
  func refused(_ request: String, replacing certificate: CertificateIdentifier, before stage: JournalEntry.Stage) throws {
    try change(request) { entry in
      entry.refusedReplacement = certificate
      entry.stage = stage
    }
  }

  /// The CA has an order. It belongs to one request: another entry that has the same one loses it (a CA may answer newOrder with an order that is
  /// open already), and its request orders anew.
  func ordered(_ request: String, _ url: ResourceURL) throws {
    for other in entries.values where other.request != request && other.isOpen && other.order == url {
      try change(other.request) { $0.stage = .none }
    }
    try change(request) { $0.stage = .ordered(url) }
  }

  /// The order has come to nothing.
  func abandon(_ request: String) throws {
    try change(request) { $0.stage = .none }
  }

  /// The certificate is issued.
  func issued(_ request: String, order: ResourceURL, _ chain: IssuedChain) throws {
    try change(request) { $0.stage = .issued(order: order, chain: chain.chain, alternates: chain.alternates) }
  }

  /// Keeps an entry under its request.
  func keep(_ entry: JournalEntry) throws {
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      try file(of: entry.request).write(encoder.encode(entry))
    } catch {
      throw ACMEError(.disk, "order of request \(entry.request)", "it cannot be kept (\(error))")
    }
    entries[entry.request] = entry
  }

  /// Forgets a request.
  func forget(_ request: String) throws {
    try file(of: request).remove()
    entries[request] = nil
  }

  private func change(_ request: String, _ change: (inout JournalEntry) -> Void) throws {
    guard var entry = entries[request] else {
      throw ACMEError(.storage, "order of request \(request)", "the request was released while its order was under way")
    }
    change(&entry)
    try keep(entry)
  }

  /// A request id is any text; its hash is a file name.
  private func file(of request: String) -> AtomicFile {
    AtomicFile(folder.appending(component: "\(Fingerprint(of: request.utf8).hex).json"))
  }
}
