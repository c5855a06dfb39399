import FoundationEssentials
import PKI

/// The URL of an ACME resource, letter for letter as the CA wrote it: the same text goes into the `url` of a JWS (RFC 8555, section 6.4), so
/// nothing is ever normalised. Only `https` URLs are taken (section 6.1).
struct ResourceURL: TextValue {
  /// Longer ones are refused; CAs stay below 200 characters.
  static let maximumLength = 2048

  let value: String

  init?(_ text: String) {
    guard text.utf8.count <= Self.maximumLength, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      let url = URL(string: text), url.scheme?.lowercased() == "https", let host = url.host(), !host.isEmpty, url.user == nil
    else { return nil }
    value = text
  }

  var description: String { value }

  /// The host, for people and for the proxy rules.
  var host: String { URL(string: value)?.host() ?? value }

  /// The URL that `reference` means beside this one (RFC 8288 links may be relative). One that is whole already stays as it is.
  func resolving(_ reference: String) -> ResourceURL? {
    ResourceURL(reference)
      ?? URL(string: reference, relativeTo: URL(string: value)).flatMap { ResourceURL($0.absoluteString) }
  }

  /// Whether this is the directory that an operator means by `address`: the URL itself or that of its parent.
  func isDirectory(at address: String) -> Bool {
    value == address || ResourceURL(address)?.appending("directory") == self
  }

  /// The same with a path component more.
  func appending(_ component: String) -> ResourceURL? {
    ResourceURL(value.hasSuffix("/") ? value + component : "\(value)/\(component)")
  }
}
