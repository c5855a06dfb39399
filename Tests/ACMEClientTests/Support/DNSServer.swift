import NIOCore
import NIOPosix
import Synchronization

/// A DNS server that answers as it is told, over UDP and TCP at one port of loopback.
final class DNSServer: Sendable {
  /// What becomes of a question.
  enum Reply: Sendable {
    /// Records: the name, the type, and the data as it stands in the message.
    case records([(name: String, type: UInt16, data: [UInt8])])
    case code(UInt8)
    case silence
    /// These octets after the question's id.
    case raw([UInt8])
    /// Truncated over UDP, these records over TCP.
    case long([(name: String, type: UInt16, data: [UInt8])])
    /// These records, after what others send in the server's name.
    case noisy([Noise], [(name: String, type: UInt16, data: [UInt8])])
  }

  /// What is sent by somebody who would like to be heard first.
  enum Noise: Sendable {
    case nonsense, nonsenseWithID, otherID, otherName, otherClass, emptyDatagram

    /// A message like the true one, but for that.
    fileprivate func message(like true: [UInt8]) -> [UInt8] {
      var message = `true`
      switch self {
      case .nonsense: return [message[0] ^ 1, 7, 7]
      case .nonsenseWithID: return Array(message[..<2]) + [0x81, 0x80, 0, 1]
      case .emptyDatagram: return []
      case .otherID: message[1] ^= 1
      case .otherName: message[13] ^= 1
      case .otherClass: message[12 + DNSServer.name("a.test").count + 3] = 3
      }
      // With an address of its own.
      message[message.count - 1] = 66
      return message
    }
  }

  let port: Int
  private let log: Log
  /// From which port each question came, with which id.
  var asked: [(port: Int, id: UInt16)] { log.questions.withLock { $0 } }

  /// Runs it beside `body`. Names that are not listed do not exist; listed ones have only what is listed.
  static func run<Value>(_ zone: [String: [UInt16: Reply]], _ body: (DNSServer) async throws -> Value) async throws -> Value {
    let group = MultiThreadedEventLoopGroup.singleton
    let log = Log()
    let udp = try await DatagramBootstrap(group: group).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Datagrams(zone: zone, log: log)) }
    }.bind(host: "127.0.0.1", port: 0).get()
    let port = udp.localAddress?.port ?? 0
    let tcp = try await ServerBootstrap(group: group).childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Stream(zone: zone)) }
    }.bind(host: "127.0.0.1", port: port).get()
    defer { for channel in [udp, tcp] { channel.close(promise: nil) } }
    return try await body(DNSServer(port: port, log: log))
  }

  private init(port: Int, log: Log) {
    self.port = port
    self.log = log
  }

  private final class Log: Sendable {
    let questions = Mutex<[(port: Int, id: UInt16)]>([])
  }

  /// A name as it stands in a message.
  static func name(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { label -> [UInt8] in [UInt8(label.utf8.count)] + Array(label.utf8) } + [0]
  }

  /// An alias.
  static func alias(_ name: String, to target: String) -> (name: String, type: UInt16, data: [UInt8]) { (name, 5, Self.name(target)) }

  /// A CAA record.
  static func authorization(_ name: String, _ tag: String, _ value: String, flags: UInt8 = 0) -> (name: String, type: UInt16, data: [UInt8]) {
    (name, 257, [flags, UInt8(tag.utf8.count)] + Array(tag.utf8) + Array(value.utf8))
  }

  private static func answer(to query: [UInt8], in zone: [String: [UInt16: Reply]], stream: Bool) -> [UInt8]? {
    guard query.count > 12 else { return nil }
    var labels: [String] = []
    var place = 12
    while query[place] != 0 {
      labels.append(String(decoding: query[(place + 1)...(place + Int(query[place]))], as: UTF8.self))
      place += Int(query[place]) + 1
    }
    let type = UInt16(query[place + 1]) << 8 | UInt16(query[place + 2])
    let question = query[12...(place + 4)]
    let types = zone[labels.joined(separator: ".")]
    func message(code: UInt8, truncated: Bool = false, _ records: [(name: String, type: UInt16, data: [UInt8])] = []) -> [UInt8] {
      var message = Array(query[..<2]) + [0x81 | (truncated ? 2 : 0), 0x80 | code, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0] + question
      for record in records {
        message += name(record.name) + [UInt8(record.type >> 8), UInt8(record.type & 0xFF), 0, 1, 0, 0, 0, 60]
        message += [UInt8(record.data.count >> 8), UInt8(record.data.count & 0xFF)] + record.data
      }
      return message
    }
    switch types?[type] {
    case nil: return message(code: types == nil ? 3 : 0)
    case .records(let records), .noisy(_, let records): return message(code: 0, records)
    case .code(let code): return message(code: code)
    case .silence: return nil
    case .raw(let octets): return Array(query[..<2]) + octets
    case .long(let records): return stream ? message(code: 0, records) : message(code: 0, truncated: true)
    }
  }

  private final class Datagrams: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    private let zone: [String: [UInt16: Reply]]
    private let log: Log
    init(zone: [String: [UInt16: Reply]], log: Log) { (self.zone, self.log) = (zone, log) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let envelope = unwrapInboundIn(data)
      let query = Array(envelope.data.readableBytesView)
      log.questions.withLock { $0.append((envelope.remoteAddress.port ?? 0, UInt16(query[0]) << 8 | UInt16(query[1]))) }
      guard let answer = DNSServer.answer(to: query, in: zone, stream: false) else { return }
      let noise = zone.values.flatMap(\.values).flatMap { if case .noisy(let noise, _) = $0 { noise } else { [Noise]() } }
      for message in noise.map({ $0.message(like: answer) }) + [answer] {
        context.writeAndFlush(
          wrapOutboundOut(AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: message))), promise: nil)
      }
    }
  }

  private final class Stream: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let zone: [String: [UInt16: Reply]]
    init(zone: [String: [UInt16: Reply]]) { self.zone = zone }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let query = Array(unwrapInboundIn(data).readableBytesView.dropFirst(2))
      guard let answer = DNSServer.answer(to: query, in: zone, stream: true) else { return }
      let bytes = [UInt8(answer.count >> 8), UInt8(answer.count & 0xFF)] + answer
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }
  }
}
