import FoundationEssentials
import PKI
import Telemetry

/// A setting: its name, what it may be, and what it does.
struct SettingDefinition: Sendable {
  /// What values it takes.
  enum Kind: Sendable {
    /// Anything; empty is "not set".
    case text
    /// The URL of a CA's directory; empty is "not set".
    case url
    /// E-mail addresses with commas between them.
    case addresses
    /// DNS names with commas between them.
    case names
    case flag
    case choice([String])
    case number(ClosedRange<Int>)
    /// At most ten TCP ports with commas between them.
    case ports
    /// An IP address, perhaps with a port; empty is "not set".
    case server
    /// At most 100 IP networks with commas between them.
    /// Networks; of everybody only where that makes sense.
    case networks(mayBeAll: Bool)
    /// Which devices are traced: `off`, `all`, or their ids with commas between them.
    case tracing
  }

  let key: String
  let standard: String
  let kind: Kind
  /// One sentence, with the unit; the bounds are added from the kind.
  let meaning: String

  /// The most characters of a value.
  static let longest = 4_096

  /// What an administrator reads: the meaning and the bounds.
  var description: String {
    switch kind {
    case .text, .url, .flag, .server: meaning
    case .addresses, .names, .ports, .networks: "\(meaning) Several are separated by commas."
    case .choice(let words): "\(meaning) One of \(words.joined(separator: ", "))."
    case .number(let range): "\(meaning) From \(range.lowerBound) to \(range.upperBound)."
    case .tracing: "\(meaning) off, all, or the ids of at most \(TraceSelection.mostDevices) devices, separated by commas."
    }
  }

  /// The variable that fixes it: the key in capitals, with an underscore for a dot and before a capital.
  var environmentName: String {
    let words = key.map { $0 == "." ? "_" : $0.isUppercase ? "_\($0)" : $0.uppercased() }
    return "ACME_CONNECTOR_" + words.joined()
  }

  /// The value in its one form.
  /// - Throws: ``Refusal`` `badValue`, with what is allowed.
  func normalized(_ text: String) throws(Refusal) -> String {
    let value = text.trimmingSpaces
    guard value.utf8.count <= Self.longest, value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
      throw Refusal(.badValue, "The value for \(key) is too long or not printable.")
    }
    switch kind {
    case .text:
      return value
    case .url:
      guard value.isEmpty || URL(string: value).map({ $0.scheme?.lowercased() == "https" && $0.host() != nil }) == true else {
        throw Refusal(.badValue, "\(key) must be a URL like https://acme.example/directory; ACME is spoken over TLS alone.")
      }
      return value
    case .addresses:
      let addresses = value.listed
      if let odd = addresses.first(where: { !$0.isMailAddress }) {
        throw Refusal(.badValue, "\(odd.prefix(100)) is no e-mail address; \(key) takes addresses like admin@example.com.")
      }
      return addresses.joined(separator: ",")
    case .names:
      var names: [String] = []
      for text in value.listed {
        guard let name = DNSName(text) else {
          throw Refusal(.badValue, "\(text.prefix(100)) is no DNS name in A-labels; \(key) takes host names like gateway.example.com.")
        }
        if !names.contains(name.value) { names.append(name.value) }
      }
      guard names.count <= SigningRequest.maximumNames else {
        throw Refusal(.badValue, "\(key) takes at most \(SigningRequest.maximumNames) names.")
      }
      return names.joined(separator: ",")
    case .ports:
      let ports = value.listed
      guard ports.count <= 10, ports.allSatisfy({ UInt16($0).map { $0 > 0 } ?? false }) else {
        throw Refusal(.badValue, "\(key) takes at most ten port numbers, from 1 to 65535.")
      }
      return ports.joined(separator: ",")
    case .server:
      guard !value.isEmpty else { return value }
      guard let server = IPEndpoint(value) else {
        throw Refusal(.badValue, "\(key) must be an IP address, perhaps with a port, like 192.0.2.53 or [2001:db8::53]:5353.")
      }
      return server.description
    case .networks(let mayBeAll):
      var networks: [IPNetwork] = []
      for text in value.listed {
        guard let network = IPNetwork(text) else {
          throw Refusal(.badValue, "\(text.prefix(100)) is no network; \(key) takes some like 10.0.0.0/8 or fd00::/8, without bits after the length.")
        }
        guard mayBeAll || !network.isAll else { throw Refusal(.badValue, "\(key) takes no network of everybody; list the addresses that are meant.") }
        networks.append(network)
      }
      guard networks.count <= 100 else { throw Refusal(.badValue, "\(key) takes at most 100 networks.") }
      return networks.map(\.description).joined(separator: ",")
    case .flag:
      switch value.lowercased() {
      case "true", "yes", "1", "on": return "true"
      case "false", "no", "0", "off": return "false"
      default: throw Refusal(.badValue, "\(key) must be true or false.")
      }
    case .choice(let words):
      guard words.contains(value.lowercased()) else { throw Refusal(.badValue, "\(key) must be one of \(words.joined(separator: ", ")).") }
      return value.lowercased()
    case .number(let range):
      guard let number = Int(value), range.contains(number) else {
        throw Refusal(.badValue, "\(key) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
      }
      return String(number)
    case .tracing:
      guard let selection = TraceSelection(setting: value) else {
        throw Refusal(.badValue, "\(key) must be off, all, or the ids of at most \(TraceSelection.mostDevices) devices, separated by commas.")
      }
      return selection.setting
    }
  }
}

extension String {
  /// The parts between commas.
  fileprivate var listed: [String] { split(separator: ",").map { String($0).trimmingSpaces }.filter { !$0.isEmpty } }

  /// Whether a CA would take it as a contact (RFC 8555, section 7.3): one address, with or without `mailto:`.
  fileprivate var isMailAddress: Bool {
    let address = lowercased().hasPrefix("mailto:") ? dropFirst(7) : self[...]
    let parts = address.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && utf8.count <= 320 && !address.contains { $0.isWhitespace || "?:".contains($0) }
  }

  fileprivate var trimmingSpaces: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
