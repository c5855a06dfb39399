import Synchronization

/// The public suffix list: below which names anybody can register one of his own (https://publicsuffix.org/list/). CAs count certificates by registered
/// domain, which is a public suffix and one label more.
public struct PublicSuffixList: Sendable {
  /// Ten thousand rules: they are made of the text when the first name is looked up, which may be never.
  private final class Source: Sendable {
    private let text: @Sendable () -> String
    private let made = Mutex<Rules?>(nil)

    init(_ text: @escaping @Sendable () -> String) { self.text = text }

    var rules: Rules {
      made.withLock { made in
        if let made { return made }
        let rules = Rules(text())
        made = rules
        return rules
      }
    }
  }

  private let source: Source

  /// No rules: every last label is a suffix, and a registered domain has two labels.
  public static let empty = PublicSuffixList(text: "")

  /// A list in its own format: a rule a line, up to the first white space; `//` begins a comment.
  public init(text: String) { self.init(reading: { text }) }

  /// A list that is read when it is first asked.
  public init(reading text: @escaping @Sendable () -> String) { source = Source(text) }

  /// The registered domain that a name is, or lies in; nil for a public suffix itself.
  public func registeredDomain(of name: DNSName) -> DNSName? { source.rules.registeredDomain(of: name) }
}

private struct Rules: Sendable {
  private var suffixes: Set<String> = []
  private var wildcards: Set<String> = []
  private var exceptions: Set<String> = []

  init(_ text: String) {
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      let rule = String(Substring(line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r") }))
      guard !rule.isEmpty, !rule.hasPrefix("//") else { continue }
      if rule.hasPrefix("!") {
        exceptions.insert(Self.inLabels(rule.dropFirst()))
      } else if rule.hasPrefix("*.") {
        wildcards.insert(Self.inLabels(rule.dropFirst(2)))
      } else {
        suffixes.insert(Self.inLabels(rule[...]))
      }
    }
  }

  func registeredDomain(of name: DNSName) -> DNSName? {
    // From the whole name down: the first that matches is the longest rule, and an exception, which is longer than its wildcard, comes first.
    var domain: DNSName?
    var rest: DNSName? = name
    while let candidate = rest {
      if exceptions.contains(candidate.value) { return candidate }
      let parent = candidate.parent
      if suffixes.contains(candidate.value) || parent.map({ wildcards.contains($0.value) }) == true || parent == nil { return domain }
      domain = candidate
      rest = parent
    }
    return domain
  }

  /// A rule in A-labels and lower case, as names are.
  private static func inLabels(_ rule: Substring) -> String {
    guard !rule.utf8.allSatisfy({ $0 < 0x80 }) else { return rule.lowercased() }
    let labels = rule.lowercased().split(separator: ".").map { label in
      label.utf8.allSatisfy { $0 < 0x80 } ? String(label) : "xn--" + Punycode.encode(label.unicodeScalars.map(\.value))
    }
    return labels.joined(separator: ".")
  }
}
