import PKI
import SchedulerAPI

/// What the setup stores, and in which order: whatever it is interrupted between, no CA is used to whose terms nobody has agreed, and what is done
/// already is not done again.
struct SetupPlan: Sendable, Hashable {
  /// One setting and its new value.
  struct Change: Sendable, Hashable {
    let key: String
    let value: String
  }

  private(set) var changes: [Change] = []

  /// The settings that differ afterwards, in words.
  var changedKeys: [String] { changes.reduce(into: []) { if !$0.contains($1.key) { $0.append($1.key) } } }

  /// - Throws: a ``CommandError`` when a setting is fixed elsewhere, or consent is missing.
  init(_ wishes: SetupWishes, for authority: AuthorityCheck, settings: StoredSettings) throws {
    let isOther = !authority.isSet(in: settings)
    let hasTerms = authority.description.termsOfService != nil
    guard wishes.agreesToTerms || authority.hasConsent(in: settings) else {
      throw CommandError("Without your agreement to the terms of service of the CA nothing is set up.")
    }
    // First what may be refused: then nothing has changed.
    try want("authority.contact", wishes.contact.map { $0.joined(separator: ",") }, settings)
    // The consent that is stored is for the CA that is stored.
    if isOther, settings["authority.termsAgreed"] == "true", settings.placeThatFixes("authority.termsAgreed") == nil {
      changes.append(Change(key: "authority.termsAgreed", value: "false"))
    }
    try want("authority.trustRoots", wishes.trustRoots, settings)
    if isOther { try want("authority.directory", authority.description.directory, settings) }
    if hasTerms, isOther || settings["authority.termsAgreed"] != "true" {
      try want("authority.termsAgreed", "true", settings, isAnyhow: isOther)
    }
    try want("gateway.names", wishes.gatewayNames.map { $0.map(\.value).joined(separator: ",") }, settings)
  }

  private mutating func want(_ key: String, _ value: String?, _ settings: StoredSettings, isAnyhow: Bool = false) throws {
    guard let value else { return }
    let isSet = settings[key] == value
    if let place = settings.placeThatFixes(key)?.rawValue {
      guard isSet else { throw CommandError("\(key) is fixed by the \(place); change it there, or leave it as it is (\(settings[key])).") }
      return
    }
    if !isSet || isAnyhow { changes.append(Change(key: key, value: value)) }
  }
}
