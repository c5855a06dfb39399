import ACMEClientAPI
import PKI

/// Why an attempt failed.
struct AttemptFailure: Codable, Hashable {
  /// What is wrong with one name.
  struct Name: Codable, Hashable {
    let name: DNSName
    let text: String
  }

  /// In a word of the device protocol.
  var error: Problem.Word
  /// One sentence.
  var text: String
  /// The name it concerns.
  var name: DNSName?
  /// The type of the CA's problem document (RFC 8555, section 6.7).
  var acmeType: String?
  /// Seconds that the CA asked to wait (Retry-After).
  var retryAfter: Int?
  /// The same CSR cannot succeed.
  var isFinal = false
  /// What is wrong with each name, where there is more to say than in `text`. Absent in rows of schema 1.
  var names: [Name]?
  /// A page of the CA's that says more.
  var help: String?

  static func internalError(_ text: String) -> AttemptFailure { AttemptFailure(error: .internalError, text: text) }

  /// The CA, or the connector itself, did not work; the request may be as good as any.
  var isOutage: Bool { [.caUnavailable, .accountProblem, .notConfigured, .internalError].contains(error) }

  /// The CA or our account there cannot be used: no order would fare better.
  var concernsAuthority: Bool { [.caUnavailable, .accountProblem, .notConfigured].contains(error) }

  /// A fault of the connector's own says nothing about the CA.
  var isOwnFault: Bool { error == .internalError }

  /// Nothing was ordered, and nothing was spent: a name cannot be answered for yet.
  var awaitsName: Bool { error == .nameNotReady }

  /// All that is known, for a person.
  var explanation: String {
    let more = (names ?? []).map { "\($0.name): \($0.text)" } + (help.map { ["The CA says more at \($0)"] } ?? [])
    return ([text] + more).joined(separator: " ")
  }
}

extension AttemptFailure {
  /// The most that is kept of what a CA says, in characters and names: it is not the CA that fills the disk.
  private static let (longestText, longestNameText, longestHelp, mostNames) = (1_000, 300, 2_048, 10)

  /// What acme-client tells, in the words of the device protocol.
  init(_ problem: Problem) {
    let names = problem.names.filter { !problem.text.contains($0.text) }.prefix(Self.mostNames)
    self.init(
      error: problem.error, text: problem.text.line(of: Self.longestText),
      name: problem.name ?? (problem.names.count == 1 ? problem.names[0].name : nil),
      acmeType: problem.acmeType?.line(of: 200),
      retryAfter: problem.retryAfter, isFinal: problem.final,
      names: names.isEmpty ? nil : names.map { Name(name: $0.name, text: $0.text.line(of: Self.longestNameText)) },
      help: problem.help?.line(of: Self.longestHelp))
  }
}
