import FoundationEssentials
import Programs

/// Debian's Pebble, strict, with a DNS server for which every name is 127.0.0.1, unless a test says otherwise.
struct Pebble: Sendable {
  /// Its manners: by default none of its nuisances, so that what a test counts is what it did itself.
  struct Manners: Sendable {
    /// Percent of good nonces that it refuses.
    var refusedNonces = 0
    /// Percent of identifiers for which a valid authorization is used again, and one more: Pebble draws from 0 to 99 and makes a new one where that is
    /// above. With 0 it still uses one in a hundred again.
    var reusedAuthorizations = 0
    /// Whether it waits up to 15 seconds before it validates.
    var sleeps = false
    /// How many other roots it offers a chain to.
    var alternateRoots = 0
    /// The only port of its API; nil takes any.
    var port: Int?
    /// Names that it refuses.
    var blocked: [String] = []
    /// Whether it wants external account binding.
    var externalAccount = false
    /// Where its API is; loopback if nil.
    var address: String?
    /// A file as hosts(5) with all the names that there are.
    var hosts: String?
  }

  /// The one external account that it knows, as acme-client reads it.
  static let externalAccount = #"{"kid":"kid-1","hmacKey":"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}"#

  /// The directory's URL.
  var directory: String
  /// The PEM file to trust for its API.
  var trust: String
  /// The PEM file of the root that it issues under.
  var root: String
  /// Where its log is.
  let log: URL
  /// Where it is told how names resolve, if that stands in no file.
  let dns: String

  /// Runs it beside `body`.
  static func run<Result: Sendable>(
    in folder: URL, challengePort: Int, manners: Manners = Manners(), network: Network? = nil, _ body: @Sendable (Pebble) async throws -> Result
  ) async throws -> Result {
    let command = command(in: folder, challengePort: challengePort, manners: manners)
    return try await (network?.inside(command) ?? command).whileRunning(log: folder.appending(path: "pebble.stderr")) { facts in
      try await body(
        Pebble(
          directory: facts["ready"] ?? "", trust: facts["trust"] ?? "", root: facts["root"] ?? "", log: URL(filePath: facts["log"] ?? ""),
          dns: facts["dns"] ?? ""))
    }
  }

  private static func command(in folder: URL, challengePort: Int, manners: Manners) -> Command {
    var arguments = [folder.path, "--http", "\(challengePort)"]
    if let port = manners.port { arguments += ["--port", "\(port)"] }
    arguments += manners.blocked.flatMap { ["--block", $0] }
    if manners.externalAccount { arguments.append("--external-account") }
    if let address = manners.address { arguments += ["--address", address] }
    if let hosts = manners.hosts { arguments += ["--hosts", hosts] }
    var environment = [
      "PEBBLE_WFE_NONCEREJECT": "\(manners.refusedNonces)",
      "PEBBLE_AUTHZREUSE": "\(manners.reusedAuthorizations)",
      "PEBBLE_ALTERNATE_ROOTS": "\(manners.alternateRoots)",
      "PEBBLE_CHAIN_LENGTH": "2",
    ]
    if !manners.sleeps { environment["PEBBLE_VA_NOSLEEP"] = "1" }
    return Command(Project.pebble, arguments, environment: environment)
  }

  /// What it has done so far, by its own log.
  func record() throws -> Record {
    let lines = try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
    return Record(
      orders: lines.count { $0.contains("Added order ") }, certificates: lines.count { $0.contains("Issued certificate serial") })
  }

  /// Orders made and certificates issued.
  struct Record: Equatable, Sendable {
    var orders: Int
    var certificates: Int
  }

  /// How many names it has looked for in vain: each makes its order useless.
  func failedValidations() throws -> Int {
    try String(contentsOf: log, encoding: .utf8).split(separator: "\n").count { $0.contains("set INVALID by completed challenge") }
  }

  /// Lets a name resolve to this address alone.
  func resolve(_ name: String, to address: String) async throws {
    try await tellDNS("clear-a", #"{"host":"\#(name)."}"#)
    try await tellDNS("add-a", #"{"host":"\#(name).","addresses":["\#(address)"]}"#)
  }

  private func tellDNS(_ what: String, _ record: String) async throws {
    let told = try await Command("curl", ["--silent", "--fail", "--data", record, "\(dns)/\(what)"]).run()
    guard told.succeeded else { throw Failure("the DNS server did not \(what) \(record): \(told.complaints)") }
  }
}
