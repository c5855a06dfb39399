import PKI

/// Which names may be ordered at all.
struct NamePolicy: Hashable {
  /// How many names a CSR may have.
  var maximumNames = SigningRequest.maximumNames
  /// A public authority validates only names of the public DNS.
  var isAuthorityPublic = false
  /// The only names, and those below them, that the login may ask for; nil for any.
  var suffixes: [DNSName]?

  /// Refuses a set of names that would be ordered in vain, or that the login may not have.
  func check(_ names: [DNSName]) throws(Refusal) {
    guard names.count <= maximumNames else {
      throw Refusal(.tooManyNames, "The CSR has \(names.count) names and \(maximumNames) are allowed; divide them among several certificates.")
    }
    for name in names {
      if isAuthorityPublic, !name.isPublic {
        throw Refusal(.nonPublicName, "\(name) is not a name of the public DNS, and no public authority certifies it; leave it out.", name: name)
      }
      if let suffixes, !suffixes.contains(where: name.isSubdomain) {
        let allowed = suffixes.map(\.value).joined(separator: ", ")
        throw Refusal(.nameNotAllowed, "This login may ask only for names in \(allowed); \(name) is not one of them.", name: name)
      }
    }
  }
}
