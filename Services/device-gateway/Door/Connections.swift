import Logging
import Metrics
import NIOConcurrencyHelpers
import NIOCore
import NIOWebSocket
import Telemetry

/// Which connection; never used again.
struct ConnectionID: Hashable, Sendable {
  let number: UInt64
}

/// A connection as other threads know it.
struct ConnectionReference: Sendable {
  let eventLoop: any EventLoop
  private let connection: NIOLoopBound<Connection>

  /// Made on the connection's event loop.
  init(_ connection: Connection, eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
  }

  /// Has something done with the connection on its event loop.
  func perform(_ body: @escaping @Sendable (Connection) -> Void) {
    eventLoop.execute { body(connection.value) }
  }
}

/// All who are connected: counted, pinged in turn, and told when the gateway ends.
final class Connections: Sendable {
  let limits: DoorLimits

  private struct Entry {
    var network: PeerNetwork
    let channel: any Channel
    var isLoggedIn = false
    /// Nil until the upgrade.
    var connection: ConnectionReference?
  }

  private struct State {
    var entries: [ConnectionID: Entry] = [:]
    var admission: Admission
    var nextNumber: UInt64 = 1
    var noise = LineAMinute()
    var isClosed = false
    /// Ends when the last one has left.
    var whenEmpty: AsyncStream<Never>.Continuation?

    /// Gives a connection its place among the strangers, if there is one, and says who has to go for it.
    mutating func place(_ entry: Entry, _ id: ConnectionID, from origin: Origin) -> (isIn: Bool, evicted: Entry?) {
      switch admission.admit(id, from: entry.network, isShared: origin.isShared) {
      case .admitted:
        entries[id] = entry
        return (true, nil)
      case .admittedFor(let oldest):
        entries[id] = entry
        return (true, entries.removeValue(forKey: oldest))
      case .refused:
        return (false, nil)
      }
    }
  }

  /// Pings are spread over the interval, lest thousands of devices answer in one moment.
  static let pingRounds: UInt64 = 10

  private let state: NIOLockedValueBox<State>
  private let logger: Logger

  init(limits: DoorLimits, logger: Logger) {
    self.limits = limits
    self.logger = logger
    state = NIOLockedValueBox(State(admission: Admission(limits: limits)))
  }

  var count: Int { state.withLockedValue { $0.admission.connections } }

  /// Takes a new connection in, if need be in the place of one that has not logged in; nil when there are too many.
  func admit(_ channel: any Channel, from origin: Origin) -> ConnectionID? {
    let admitted = state.withLockedValue { state -> (id: ConnectionID?, evicted: Entry?)? in
      guard !state.isClosed else { return nil }
      let id = ConnectionID(number: state.nextNumber)
      state.nextNumber += 1
      let (isIn, evicted) = state.place(Entry(network: origin.address.network, channel: channel), id, from: origin)
      return (isIn ? id : nil, evicted)
    }
    guard let (id, evicted) = admitted else { return nil }
    if evicted != nil || id == nil { turnAway(evicted, for: origin) }
    return id
  }

  /// The connection was upgraded. Of one that came through a reverse proxy it is known only now where it is from.
  func opened(_ id: ConnectionID, _ connection: ConnectionReference, from origin: Origin) {
    let (isClosed, evicted) = state.withLockedValue { state -> (Bool, Entry?) in
      // One that had to go meanwhile is being closed.
      guard var entry = state.entries[id] else { return (false, nil) }
      entry.connection = connection
      guard entry.network != origin.address.network else {
        state.entries[id] = entry
        return (state.isClosed, nil)
      }
      state.admission.left(id, from: entry.network, isLoggedIn: false)
      entry.network = origin.address.network
      return (state.isClosed, state.place(entry, id, from: origin).evicted)
    }
    if let evicted { turnAway(evicted, for: origin) }
    if isClosed { connection.perform { $0.close(.goingAway, Self.restarting) } }
  }

  /// Has one go for another who comes, or that other one, for there are too many.
  private func turnAway(_ evicted: Entry?, for origin: Origin) {
    evicted?.channel.close(promise: nil)
    Counter(label: "gateway_connections_turned_away").increment()
    guard let unsaid = state.withLockedValue({ $0.noise.take(at: .now) }) else { return }
    logger.log(
      .doorCrowded, "there are too many connections; those that have not logged in are turned away",
      metadata: [.peer: origin.address, .unsaid: unsaid])
  }

  func loggedIn(_ id: ConnectionID) {
    state.withLockedValue { state in
      guard var entry = state.entries[id], !entry.isLoggedIn else { return }
      entry.isLoggedIn = true
      state.entries[id] = entry
      state.admission.loggedIn(id, from: entry.network)
    }
  }

  func left(_ id: ConnectionID) {
    let whenEmpty: AsyncStream<Never>.Continuation? = state.withLockedValue { state in
      guard let entry = state.entries.removeValue(forKey: id) else { return nil }
      state.admission.left(id, from: entry.network, isLoggedIn: entry.isLoggedIn)
      guard state.entries.isEmpty else { return nil }
      defer { state.whenEmpty = nil }
      return state.whenEmpty
    }
    whenEmpty?.finish()
  }

  subscript(id: ConnectionID) -> ConnectionReference? {
    state.withLockedValue { $0.entries[id]?.connection }
  }

  /// Pings a part of the connections; after `pingRounds` calls each has been asked once.
  func ping(round: UInt64) {
    let due = state.withLockedValue { state in
      state.entries.compactMap { $0.key.number % Self.pingRounds == round % Self.pingRounds ? $0.value.connection : nil }
    }
    for connection in due { connection.perform { $0.ping() } }
  }

  /// Lets nobody in any more, tells everyone that the gateway restarts, and returns when all have left, or when it is cancelled. Whoever has not
  /// said yet what it wants is not waited for.
  func closeAll() async {
    let (left, whenEmpty) = AsyncStream.makeStream(of: Never.self)
    let entries = state.withLockedValue { state in
      state.isClosed = true
      if state.entries.isEmpty { whenEmpty.finish() } else { state.whenEmpty = whenEmpty }
      return Array(state.entries.values)
    }
    for entry in entries {
      if let connection = entry.connection {
        connection.perform { $0.close(.goingAway, Self.restarting) }
      } else {
        entry.channel.close(promise: nil)
      }
    }
    for await _ in left {}
  }

  private static let restarting = "restarting, connect again"
}
