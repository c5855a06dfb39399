import PKI

/// What happens when, soonest first; of equal moments what was put in first (a binary heap).
struct Agenda<Entry> {
  private struct Item {
    let at: Instant
    let number: Int
    let entry: Entry

    static func < (left: Item, right: Item) -> Bool { left.at == right.at ? left.number < right.number : left.at < right.at }
  }

  private var heap: [Item] = []
  private var number = 0

  /// When the soonest happens.
  var next: Instant? { heap.first?.at }

  mutating func put(_ entry: Entry, at moment: Instant) {
    heap.append(Item(at: moment, number: number, entry: entry))
    number += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child] < heap[parent] else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func take() -> Entry? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    if heap.isEmpty { return first.entry }
    heap[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < heap[parent] else { break }
      heap.swapAt(child, parent)
      parent = child
    }
    return first.entry
  }
}
