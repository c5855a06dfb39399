import PKI

/// The names that a device says it answers to: names as they are, and wildcards for one label.
struct ServedNames: Codable, Sendable, Hashable {
  /// Far more than a reverse proxy has; what is beyond does not count.
  static let most = 1000

  private var names: Set<DNSName> = []
  /// Of `*.a.example` it is `a.example`.
  private var wildcards: Set<DNSName> = []

  /// What of the device's texts is a name.
  init(_ texts: [String] = []) {
    for text in texts.prefix(Self.most) {
      if let name = DNSName(text) {
        names.insert(name)
      } else if text.hasPrefix("*."), let parent = DNSName(String(text.dropFirst(2))) {
        wildcards.insert(parent)
      }
    }
  }

  var isEmpty: Bool { count == 0 }
  var count: Int { names.count + wildcards.count }

  /// Whether the device answers to a name.
  func contains(_ name: DNSName) -> Bool {
    names.contains(name) || name.parent.map(wildcards.contains) ?? false
  }
}
