import PKI
import SchedulerAPI
import Synchronization

/// What the orders under way and the rest of the scheduler tell each other: there is work, this one is of no use any more, that one is so far.
final class OrderBoard: Sendable {
  /// How far an order is. It is not kept: an interrupted order tells it anew.
  struct Progress: Hashable {
    /// ordering, challenging or finalizing.
    let state: RequestState
    let name: DNSName?
  }

  private struct Order {
    var progress = Progress(state: .ordering, name: nil)
    let stop: AsyncStream<Void>.Continuation
  }

  private struct State {
    var orders: [RequestID: Order] = [:]
    var wakes = 0
  }

  /// Comes when there may be work, with the number of the call that said so; of several calls the last may come alone.
  let wakes: AsyncStream<Int>
  private let waker: AsyncStream<Int>.Continuation
  /// Says that the queue has looked after that call, and there is nothing left that it could do before time goes on or something happens.
  let rests = Subscriptions<Int>(capacity: nil)
  private let state = Mutex(State())

  init() {
    (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// There may be work.
  /// - Returns: the number of this call.
  @discardableResult
  func wake() -> Int {
    state.withLock { state in
      state.wakes += 1
      waker.yield(state.wakes)
      return state.wakes
    }
  }

  /// An order begins.
  /// - Returns: what ends when it shall stop.
  func begin(_ request: RequestID) -> AsyncStream<Void> {
    let (stops, stop) = AsyncStream.makeStream(of: Void.self)
    state.withLock { $0.orders[request] = Order(stop: stop) }
    return stops
  }

  /// An order is over, whatever came of it.
  func end(_ request: RequestID) { state.withLock { $0.orders[request] = nil } }

  /// An order is so far.
  /// - Returns: whether that is news.
  func advance(_ request: RequestID, to progress: Progress) -> Bool {
    state.withLock { state in
      guard state.orders[request] != nil, state.orders[request]?.progress != progress else { return false }
      state.orders[request]?.progress = progress
      return true
    }
  }

  /// How far an order is, if that is known.
  func progress(of request: RequestID) -> Progress? { state.withLock { $0.orders[request]?.progress } }

  /// An order under way is of no use any more.
  func stop(_ request: RequestID) { state.withLock { $0.orders[request] }?.stop.finish() }

  /// The orders under way.
  var underWay: Set<RequestID> { state.withLock { Set($0.orders.keys) } }
}
