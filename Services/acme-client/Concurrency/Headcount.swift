import Synchronization

/// Lets only so many in at once, and turns the others away.
final class Headcount: Sendable {
  let most: Int
  private let present = Mutex(0)

  init(atMost most: Int) {
    self.most = most
  }

  /// - Returns: whether all of these are let in; none of them is otherwise.
  func enter(_ count: Int) -> Bool {
    present.withLock { present in
      guard present + count <= most else { return false }
      present += count
      return true
    }
  }

  /// One of those leaves.
  func leave() { present.withLock { $0 -= 1 } }
}
