import NIOCore

/// Connections in the order of their deadlines. All in one list are given the same time, so that a new deadline belongs at the end: adding and
/// removing cost the same however many there are.
final class ConnectionList {
  let time: TimeAmount
  private(set) var count = 0
  private(set) var first: HTTPConnection?
  private var last: HTTPConnection?

  init(time: TimeAmount) {
    self.time = time
  }

  func append(_ connection: HTTPConnection, now: NIODeadline) {
    connection.list?.remove(connection)
    connection.list = self
    connection.deadline = now + time
    connection.previous = last
    last?.next = connection
    last = connection
    if first == nil { first = connection }
    count += 1
  }

  func remove(_ connection: HTTPConnection) {
    guard connection.list === self else { return }
    connection.previous?.next = connection.next
    connection.next?.previous = connection.previous
    if first === connection { first = connection.next }
    if last === connection { last = connection.previous }
    connection.previous = nil
    connection.next = nil
    connection.list = nil
    count -= 1
  }
}
