/// What a request is for (RFC 8555, section 7.1; RFC 9773, section 4.1): the first part of its path.
public enum Resource: String, Codable, CodingKeyRepresentable, Sendable, CaseIterable {
  case directory, newNonce, newAccount, account, keyChange, orders, newOrder, order, authorization, challenge, finalize, certificate, revokeCert,
    renewalInfo

  /// Whether everybody may ask, without a signature.
  var isPublic: Bool { [.directory, .newNonce, .renewalInfo].contains(self) }
}

/// A resource, and which object of its kind.
struct Route {
  let resource: Resource
  let id: String

  init?(path: String) {
    let parts = path.split(separator: "/", maxSplits: 1)
    guard path.first == "/", let first = parts.first, let resource = Resource(rawValue: String(first)) else { return nil }
    self.resource = resource
    self.id = parts.count == 2 ? String(parts[1]) : ""
  }
}
