/// What the CA saw.
public struct Report: Codable, Sendable {
  /// Requests by resource, refused ones too.
  public internal(set) var requests: [Resource: Int] = [:]
  /// What RFC 8555 or RFC 9773 forbids a client, and was done.
  public internal(set) var deviations: [String] = []
  /// Orders that were made.
  public internal(set) var ordersMade = 0
  /// Certificates that were issued.
  public internal(set) var certificatesIssued = 0
  /// What newOrder said of the certificate to be replaced, one for each request that came so far.
  public internal(set) var replaces: [String?] = []

  /// How many requests came.
  public subscript(resource: Resource) -> Int { requests[resource, default: 0] }
  /// How many came in all.
  public var total: Int { requests.values.reduce(0, +) }
}
