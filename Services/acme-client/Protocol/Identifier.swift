import PKI

/// What a certificate is to name (RFC 8555, section 9.7.7). Only `dns` is ordered here; a CA may still speak of others.
struct Identifier: Codable, Sendable, Hashable {
  let type: String
  let value: String

  init(_ name: DNSName) {
    type = "dns"
    value = name.value
  }

  /// The name, if it is one.
  var name: DNSName? { type == "dns" ? DNSName(value) : nil }
}
