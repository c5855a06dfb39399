import Glibc
import NIOCore

/// What all connections of the HTTP side share: the answers' date, the bounds, and who has waited for how long. Used on one event loop only.
final class HTTPConnections {
  let tokens: LiveTokens
  let hits: HitLog
  let limits: HTTPLimits
  /// Where answers are put together. Who takes it gives it back.
  private var buffer = ByteBuffer()
  private(set) var status = DatedStatus()
  private(set) var isEnding = false
  /// Those that have not sent a whole head yet.
  private let reading: ConnectionList
  /// Those that have had an answer and may ask again.
  private let idle: ConnectionList
  /// Those that were refused and are being read out.
  private let lingering: ConnectionList
  private let isUsed: @Sendable () -> Void
  private var lastUse: time_t = -1
  let loop: any EventLoop
  private var timer: Scheduled<Void>?
  private var timerDeadline = NIODeadline.distantFuture
  private var allClosed: EventLoopPromise<Void>?

  init(tokens: LiveTokens, hits: HitLog, limits: HTTPLimits, isUsed: @escaping @Sendable () -> Void, loop: any EventLoop) {
    self.tokens = tokens
    self.hits = hits
    self.limits = limits
    self.isUsed = isUsed
    self.loop = loop
    reading = ConnectionList(time: limits.head)
    idle = ConnectionList(time: limits.idle)
    lingering = ConnectionList(time: limits.linger)
  }

  private var lists: [ConnectionList] { [reading, idle, lingering] }
  private var count: Int { reading.count + idle.count + lingering.count }

  /// An empty buffer for answers, and the date brought up to date.
  func takeBuffer() -> ByteBuffer {
    status.update(to: time(nil))
    var taken = ByteBuffer()
    swap(&taken, &buffer)
    taken.clear()
    return taken
  }

  func giveBack(_ taken: ByteBuffer) { buffer = taken }

  /// A live token was asked for. The process hears of it once a second.
  func noteUse() {
    guard lastUse != status.second else { return }
    lastUse = status.second
    isUsed()
  }

  /// A connection has begun. If there are too many, the one that has been quiet for longest goes.
  func began(_ connection: HTTPConnection) {
    if count >= limits.connections { (idle.first ?? lingering.first ?? reading.first)?.close() }
    waitForHead(of: connection)
  }

  /// A head has begun, or is awaited from a new connection.
  func waitForHead(of connection: HTTPConnection) { wait(connection, in: reading) }

  /// All that was asked is answered.
  func waitForRequest(of connection: HTTPConnection) { wait(connection, in: idle) }

  /// The peer was refused.
  func linger(_ connection: HTTPConnection) { wait(connection, in: lingering) }

  func ended(_ connection: HTTPConnection) {
    connection.list?.remove(connection)
    if isEnding, count == 0 {
      timer?.cancel()
      allClosed?.succeed()
      allClosed = nil
    }
  }

  /// Closes the idle ones, lets the others have their answer for a while, and succeeds when all have gone.
  func end() -> EventLoopFuture<Void> {
    isEnding = true
    while let connection = idle.first { connection.close() }
    let promise = loop.makePromise(of: Void.self)
    if count == 0 { promise.succeed() } else { allClosed = promise }
    loop.assumeIsolated().scheduleTask(in: limits.end) {
      for list in self.lists { while let connection = list.first { connection.close() } }
    }
    return promise.futureResult
  }

  private func wait(_ connection: HTTPConnection, in list: ConnectionList) {
    list.append(connection, now: loop.now)
    if timer == nil || connection.deadline < timerDeadline { schedule(at: connection.deadline) }
  }

  /// One timer for all, at the earliest deadline. Those that it was set for have mostly moved on when it goes off, which costs less than a timer
  /// for each.
  private func schedule(at deadline: NIODeadline) {
    timer?.cancel()
    timerDeadline = deadline
    timer = loop.assumeIsolated().scheduleTask(deadline: deadline) { self.closeOverdue() }
  }

  private func closeOverdue() {
    let now = loop.now
    for list in lists {
      while let connection = list.first, connection.deadline <= now { connection.close() }
    }
    timer = nil
    if let next = lists.compactMap({ $0.first?.deadline }).min() { schedule(at: next) }
  }
}
