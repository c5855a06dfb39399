import PKI

/// What happens when, soonest first; of equal moments what was put in first.
struct Agenda<Entry> {
  private struct Item: Comparable {
    let at: Instant
    let number: Int
    let entry: Entry

    static func < (left: Item, right: Item) -> Bool { left.at == right.at ? left.number < right.number : left.at < right.at }
    static func == (left: Item, right: Item) -> Bool { left.number == right.number }
  }

  private var items = PriorityQueue<Item>()
  private var number = 0

  /// When the soonest happens.
  var next: Instant? { items.first?.at }

  mutating func put(_ entry: Entry, at moment: Instant) {
    items.insert(Item(at: moment, number: number, entry: entry))
    number += 1
  }

  mutating func take() -> Entry? { items.popFirst()?.entry }
}
