import FoundationEssentials
import PKI
import SchedulerAPI

/// Asks a person for what the options have left open. Nothing is stored meanwhile: whoever ends it leaves all as it was.
struct SetupQuestions: Sendable {
  let terminal: Terminal
  let connector: Connector
  let settings: StoredSettings

  /// Asks until the CA has answered, and all is said.
  func complete(_ given: SetupWishes) async throws -> (wishes: SetupWishes, check: AuthorityCheck) {
    var wishes = given
    let check = try await authority(&wishes, given)
    for advice in [check.clockWarning, check.externalAccountAdvice] { if let advice { try terminal.note(advice) } }
    try terms(&wishes, check)
    if wishes.contact == nil {
      let contact = try answer("E-mail addresses that the CA may write to, with commas", settings["authority.contact"], "none")
      wishes.contact = contact.parts
    }
    if wishes.gatewayNames == nil { wishes.gatewayNames = try names() }
    return (wishes, check)
  }

  /// The last question; after it things are stored.
  func confirm() throws {
    guard try yes("Set it up so?", otherwise: true) else { throw Self.ended }
  }

  private func authority(_ wishes: inout SetupWishes, _ given: SetupWishes) async throws -> AuthorityCheck {
    while true {
      if given.authority == nil { wishes.authority = try authorityName() }
      guard let authority = wishes.authority else { throw Self.ended }
      let isKnown = AuthorityName.known.contains { $0.directory == authority.directory }
      if given.trustRoots == nil {
        let path = isKnown ? "" : try answer("A PEM file of the roots to trust for its TLS", settings["authority.trustRoots"], "those of the system")
        wishes.trustRoots = path.isEmpty ? "" : path.absolutePath
      }
      do {
        return try await AuthorityCheck.ask(authority, trustRoots: wishes.trustRoots ?? "", at: connector, on: terminal)
      } catch {
        guard given.authority == nil else { throw error }
        try terminal.note("\(CommandError(explaining: error))")
      }
    }
  }

  private func authorityName() throws -> AuthorityName {
    let words = AuthorityName.known.map(\.word).joined(separator: ", ")
    let current = settings["authority.directory"].isEmpty ? AuthorityName.known[0].word : AuthorityName.word(for: settings["authority.directory"])
    while true {
      if let name = AuthorityName(argument: try answer("Certificate authority: \(words), or the URL of its ACME directory", current)) { return name }
      try terminal.note("That is neither one of these words nor an https URL.")
    }
  }

  private func terms(_ wishes: inout SetupWishes, _ check: AuthorityCheck) throws {
    guard let terms = check.description.termsOfService, !wishes.agreesToTerms else { return }
    try terminal.note("The terms of service of this CA: \(terms)")
    let hasAgreed = check.hasConsent(in: settings)
    guard try yes("Have you read them, and do you agree?", otherwise: hasAgreed) else {
      throw CommandError("Without your agreement to the terms of service of the CA nothing is set up; nothing was changed.")
    }
    wishes.agreesToTerms = true
  }

  private func names() throws -> [DNSName] {
    while true {
      let texts = try answer(
        "Public host names of this connector, with commas; it obtains a certificate for them", settings["gateway.names"], "none"
      ).parts
      let names = texts.compactMap { DNSName($0) }
      if names.count == texts.count { return names }
      try terminal.note("A host name is like connector.example.com.")
    }
  }

  /// What is answered; nothing means what stands in brackets, and a dash none of it.
  private func answer(_ question: String, _ current: String, _ none: String? = nil) throws -> String {
    let shown = current.isEmpty ? none : none.map { "\(current); - for \($0)" } ?? current
    guard let line = try terminal.ask("\(question)\(shown.map { " [\($0)]" } ?? ""): ") else { throw Self.ended }
    let text = line.trimmed
    if text == "-", none != nil { return "" }
    return text.isEmpty ? current : text
  }

  private func yes(_ question: String, otherwise: Bool?) throws -> Bool {
    while true {
      guard let line = try terminal.ask("\(question) [\(otherwise == true ? "yes" : "no")]: ") else { throw Self.ended }
      switch line.trimmed.lowercased() {
      case "y", "yes": return true
      case "n", "no": return false
      case "": return otherwise ?? false
      default: try terminal.note("Answer yes or no.")
      }
    }
  }

  private static let ended = CommandError("The setup was ended; nothing was changed.")
}

extension String {
  /// The text without blanks around it.
  fileprivate var trimmed: String {
    let blank: (Character) -> Bool = \.isWhitespace
    guard let start = firstIndex(where: { !blank($0) }), let end = lastIndex(where: { !blank($0) }) else { return "" }
    return String(self[start...end])
  }

  fileprivate var parts: [String] { split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty } }
}
