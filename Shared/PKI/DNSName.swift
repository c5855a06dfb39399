/// A host's name as a certificate carries it: an ASCII name of the DNS in the preferred syntax (RFC 1034, section 3.5; RFC 1123, section 2.1).
///
/// Two names are equal when the DNS takes them for the same: case does not count, and neither does the trailing dot of the root. Wildcards,
/// addresses, underscores and U-labels are no such names; an internationalised name is written in A-labels (`xn--…`, RFC 5890).
public struct DNSName: TextValue, Comparable {
  /// The most octets of a name without the trailing dot (RFC 1035, section 2.3.4, in text form).
  public static let maximumLength = 253

  /// The name in lower case, without a trailing dot.
  public let value: String

  /// The name that `text` spells, or nil if it is none.
  public init?(_ text: String) {
    var octets = text.utf8[...]
    if octets.last == UInt8(ascii: ".") { octets.removeLast() }
    guard octets.count <= Self.maximumLength else { return nil }
    let labels = octets.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard labels.allSatisfy(Self.isLabel), let last = labels.last, !last.allSatisfy(\.isDigit) else { return nil }
    self.value = String(decoding: octets.map(\.lowercased), as: UTF8.self)
  }

  private init(value: String) {
    self.value = value
  }

  /// The name as text.
  public var description: String { value }

  /// Orders names as their texts.
  public static func < (left: DNSName, right: DNSName) -> Bool {
    left.value < right.value
  }

  /// The name without its first label, or nil for a name of one label.
  public var parent: DNSName? {
    guard let dot = value.firstIndex(of: ".") else { return nil }
    return DNSName(value: String(value[value.index(after: dot)...]))
  }

  /// Whether this name is `domain` or lies below it.
  public func isSubdomain(of domain: DNSName) -> Bool {
    value == domain.value || value.hasSuffix("." + domain.value)
  }

  /// Whether a public authority could validate the name: it has at least two labels, and does not lie in a zone that is set aside for
  /// other use. Only a policy for public authorities asks; a private one may certify any name.
  public var isPublic: Bool {
    parent != nil && !Self.specialUse.contains(where: isSubdomain)
  }

  /// Zones that never resolve in the public DNS: the special-use names (RFC 6761, 6762, 7686, 8375, 9476), `internal` as ICANN reserved it in
  /// 2024, and those that private networks have used so widely that ICANN will not delegate them.
  private static let specialUse = [
    "alt", "example", "home.arpa", "internal", "invalid", "local", "localhost", "onion", "test",
    "corp", "home", "intranet", "lan", "localdomain", "mail", "private",
  ].map(DNSName.init(value:))

  private static func isLabel(_ label: Substring.UTF8View) -> Bool {
    let hyphen = UInt8(ascii: "-")
    guard (1...63).contains(label.count), label.first != hyphen, label.last != hyphen else { return false }
    // Hyphens in the third and fourth place are reserved (RFC 5890, section 2.3.1); of those labels only A-labels are in use.
    if label.dropFirst(2).starts(with: [hyphen, hyphen]) {
      guard label.prefix(2).map(\.lowercased) == Array("xn".utf8), label.count > 4 else { return false }
    }
    return label.allSatisfy { $0.isLetter || $0.isDigit || $0 == hyphen }
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
  fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercased) }
  fileprivate var lowercased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }
}
