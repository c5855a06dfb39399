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

  /// Comes when there may be work; several calls may come as one.
  let wakes: AsyncStream<Void>
  private let waker: AsyncStream<Void>.Continuation
  private let orders = Mutex<[RequestID: Order]>([:])

  init() {
    (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// There may be work.
  func wake() { waker.yield() }

  /// An order begins.
  /// - Returns: what ends when it shall stop.
  func begin(_ request: RequestID) -> AsyncStream<Void> {
    let (stops, stop) = AsyncStream.makeStream(of: Void.self)
    orders.withLock { $0[request] = Order(stop: stop) }
    return stops
  }

  /// An order is over, whatever came of it.
  func end(_ request: RequestID) { orders.withLock { $0[request] = nil } }

  /// An order is so far.
  /// - Returns: whether that is news.
  func advance(_ request: RequestID, to progress: Progress) -> Bool {
    orders.withLock { orders in
      guard orders[request] != nil, orders[request]?.progress != progress else { return false }
      orders[request]?.progress = progress
      return true
    }
  }

  /// How far an order is, if that is known.
  func progress(of request: RequestID) -> Progress? { orders.withLock { $0[request]?.progress } }

  /// An order under way is of no use any more.
  func stop(_ request: RequestID) { orders.withLock { $0[request] }?.stop.finish() }

  /// The orders under way.
  var underWay: Set<RequestID> { orders.withLock { Set($0.keys) } }
}
