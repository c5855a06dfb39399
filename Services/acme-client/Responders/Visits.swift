import ResponderAPI

/// Who has asked for the answer to a challenge, as far as the responders saw it. A CA asks from several places, and refuses when too many of them
/// find nothing.
struct Visits: Sendable, Hashable {
  /// So many addresses are named, no more.
  private static let mostNamed = 8

  private let count: Int
  /// Each once, in the order in which they came, and who looked the answer up there.
  private let addresses: [String]

  init(_ visits: [Responder.Visit]) {
    count = visits.count
    var seen: Set<String> = []
    addresses = visits.sorted { $0.time < $1.time }.map(\.origin).filter { seen.insert($0).inserted }
  }

  var isEmpty: Bool { count == 0 }

  /// Of how many they were, in a few words.
  var summary: String {
    guard !isEmpty else { return "nobody" }
    let named = addresses.prefix(Self.mostNamed).joined(separator: ", ")
    let more = addresses.count > Self.mostNamed ? " and others" : ""
    return "\(count) request\(count == 1 ? "" : "s") from \(addresses.count == 1 ? named : "\(addresses.count) addresses (\(named)\(more))")"
  }
}

extension Responder.Visit {
  fileprivate var origin: String { asker.map { "\(address), where \($0) looked it up" } ?? address }
}
