import AppWebsocket

/// A message as a trace shows it: the values of those properties that hold nothing secret and nothing private, of all others the names and lengths.
/// So a digest, a key authorization, a CSR, a certificate, and what nobody knows yet, stay out of the log.
struct MessageTrace: CustomStringConvertible {
  /// Properties whose values may be read by whoever may read the log.
  private static let shown: Set<String> = [
    "mt", "src", "api", "id", "state", "slot", "dns", "dnsNames", "error", "errorText", "acmeType", "retryAfterSec", "final", "renewDays",
    "installDays", "maxDnsNames", "rootsUrl", "pin", "nextPin", "serverTime", "protocol", "hwId", "type", "product", "version", "name", "roles",
    "clock", "dueAt", "fingerprint", "csrHash", "notBefore", "notAfter", "installAt", "reason", "newKey", "deadline", "replaces", "force", "accepted",
    "ok",
    "app", "domain", "sip", "guid", "dn", "code", "severity", "text", "host", "path", "found", "hidden",
  ]
  /// The most bytes of one value.
  private static let longestValue = 256
  /// The most properties.
  private static let mostProperties = 40

  let description: String

  /// A message as it came or goes.
  init(_ text: String) {
    guard let envelope = try? Envelope(text) else {
      description = "(no message: \(text.utf8.count) bytes)"
      return
    }
    let names = envelope.propertyNames
    let properties = names.prefix(Self.mostProperties).compactMap { name in
      envelope[name].map { "\(ShortText(clipping: name))=\(Self.value($0, of: name))" }
    }
    let more = names.count > Self.mostProperties ? ["and \(names.count - Self.mostProperties) more"] : []
    description = (["\(envelope.name)"] + properties + more).joined(separator: " ")
  }

  private static func value(_ json: RawJSON, of name: String) -> String {
    let length = json.text.utf8.count
    guard shown.contains(name), length <= longestValue else { return "(\(length) bytes)" }
    return json.text
  }
}
