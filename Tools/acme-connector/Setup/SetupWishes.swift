import PKI

/// What an administrator wants, as far as it is known.
struct SetupWishes: Sendable, Hashable {
  /// Nil: not said yet.
  var authority: AuthorityName?
  /// The path of a PEM file; empty for the system's roots. Nil: as it is.
  var trustRoots: String?
  /// Nil: as it is.
  var contact: [String]?
  /// A person has read the terms of this CA, and agrees.
  var agreesToTerms = false
  /// Nil: as it is.
  var gatewayNames: [DNSName]?

  /// Whether there is nothing left to ask.
  var areComplete: Bool { authority != nil && contact != nil && agreesToTerms && gatewayNames != nil }
}
