import PKI

/// The connector's queue, as its database keeps it: who waits for which limit of the CA, and who waits for nothing but a place among the orders under way.
struct ModelQueue {
  struct Entry {
    let device: Int
    /// By what it is ordered.
    let rank: Urgency
  }

  /// How many orders are under way at a time.
  static let places = 4

  /// Those that wait for a limit, first those whose turn comes first.
  private(set) var lines: [LedgerAccount: [Entry]] = [:]
  /// Those whose turn it is, and since when.
  private(set) var called: [Int: Instant] = [:]
  /// How many orders are under way.
  var underWay = 0
  var isAlarmed = false

  /// Since when the one that waits longest waits for nothing but a place.
  var waitingSince: Instant? { called.values.min() }

  mutating func call(_ device: Int, at now: Instant) {
    if called[device] == nil { called[device] = now }
  }

  /// - Returns: since when it was its turn.
  mutating func leaveCalled(_ device: Int) -> Instant? { called.removeValue(forKey: device) }

  mutating func join(_ entry: Entry, for limit: LedgerAccount) {
    var line = lines[limit] ?? []
    line.insert(entry, at: Self.place(of: entry.rank, in: line))
    lines[limit] = line
  }

  mutating func leave(_ entry: Entry, for limit: LedgerAccount) {
    guard var line = lines[limit] else { return }
    let place = Self.place(of: entry.rank, in: line)
    guard place < line.count, line[place].device == entry.device else { return }
    line.remove(at: place)
    lines[limit] = line.isEmpty ? nil : line
  }

  /// How many wait for these limits before that one.
  func ahead(of rank: Urgency, for limits: [LedgerAccount]) -> [LedgerAccount: Int] {
    limits.reduce(into: [:]) { counts, limit in if let line = lines[limit] { counts[limit] = Self.place(of: rank, in: line) } }
  }

  /// The same, of those that count.
  func ahead(of rank: Urgency, for limits: [LedgerAccount], where counts: (Int) -> Bool) -> [LedgerAccount: Int] {
    limits.reduce(into: [:]) { ahead, limit in
      if let line = lines[limit] { ahead[limit] = line.prefix(Self.place(of: rank, in: line)).count { counts($0.device) } }
    }
  }

  func first(for limit: LedgerAccount) -> Int? { lines[limit]?.first?.device }

  /// How many of a line come before that rank.
  private static func place(of rank: Urgency, in line: [Entry]) -> Int {
    var (low, high) = (0, line.count)
    while low < high {
      let middle = (low + high) / 2
      if line[middle].rank < rank { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
