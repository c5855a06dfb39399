import Synchronization

/// Readers of a stream of items, each with a queue of its own. A reader that is too slow is told so and loses its place; it delays nobody.
final class Subscriptions<Item: Sendable>: Sendable {
  private struct State {
    var readers: [Int: AsyncThrowingStream<Item, any Error>.Continuation] = [:]
    var next = 0
  }

  /// The reader was too slow: more than its queue holds had come in between.
  struct Overflow: Error {}

  private let state = Mutex(State())
  private let capacity: Int?

  /// - Parameter capacity: how many items wait for one reader; nil when an item only says "look again", so that the newest stands for all.
  init(capacity: Int?) {
    self.capacity = capacity
  }

  /// Opens a stream of what is published from now on, `first` before it. It ends when its reader does, or with ``Overflow``.
  func open(first: [Item] = []) -> AsyncThrowingStream<Item, any Error> {
    let (stream, continuation) = AsyncThrowingStream.makeStream(
      of: Item.self, throwing: (any Error).self, bufferingPolicy: capacity.map { .bufferingOldest($0) } ?? .bufferingNewest(1))
    let number = state.withLock { state in
      defer { state.next += 1 }
      first.forEach { continuation.yield($0) }
      state.readers[state.next] = continuation
      return state.next
    }
    continuation.onTermination = { [weak self] _ in self?.close(number) }
    return stream
  }

  /// Hands an item to all readers. Never waits.
  func publish(_ item: Item) {
    // Finishing runs the termination handler, which takes the lock: so outside of it.
    let overflowed = state.withLock { state in
      state.readers.values.filter { reader in
        guard case .dropped = reader.yield(item) else { return false }
        return capacity != nil
      }
    }
    for reader in overflowed { reader.finish(throwing: Overflow()) }
  }

  private func close(_ number: Int) {
    _ = state.withLock { $0.readers.removeValue(forKey: number) }
  }
}
