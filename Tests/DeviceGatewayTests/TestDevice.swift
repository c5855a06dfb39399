import AppWebsocket
import FoundationEssentials
import RawSocket
import Testing

/// The far end of a connection, frame by frame.
final class TestDevice: Sendable {
  struct Frame: Equatable {
    let opcode: UInt8
    let payload: [UInt8]

    var text: String { String(decoding: payload, as: UTF8.self) }
    /// The code of a close frame.
    var closeCode: Int? { opcode == 8 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }
  }

  struct NotUpgraded: Error {
    let head: String
  }

  let socket: RawSocket

  /// - Parameter fields: Header fields that a reverse proxy adds, each with its end of line.
  init(_ socket: RawSocket, path: String, fields: String = "") async throws {
    self.socket = socket
    try await socket.send(
      """
      GET \(path) HTTP/1.1\r\nHost: connector.example:8443\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(fields)\r\n
      """)
    let head = try await socket.receive(until: "\r\n\r\n") ?? ""
    guard head.hasPrefix("HTTP/1.1 101 ") else { throw NotUpgraded(head: head) }
  }

  func send(_ text: String) async throws { try await send(opcode: 1, Array(text.utf8)) }

  func send(opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, isMasked: Bool = true) async throws {
    try await socket.send(Self.frame(opcode: opcode, payload, isFinal: isFinal, isMasked: isMasked))
  }

  static func frame(opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, isMasked: Bool = true) -> [UInt8] {
    let mask: UInt8 = isMasked ? 0x80 : 0
    var frame: [UInt8] = [opcode | (isFinal ? 0x80 : 0)]
    switch payload.count {
    case ..<126: frame.append(mask | UInt8(payload.count))
    case ..<65_536: frame += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    default: frame += [mask | 127] + stride(from: 56, through: 0, by: -8).map { UInt8(payload.count >> $0 & 255) }
    }
    let key: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
    guard isMasked else { return frame + payload }
    return frame + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
  }

  /// The next frame; nil at the end of the stream.
  func receive() async throws -> Frame? {
    guard let head = try await socket.receive(bytes: 2) else { return nil }
    var length = Int(head[1] & 0x7f)
    if length == 126 { length = (try await socket.receive(bytes: 2) ?? []).reduce(0) { $0 << 8 | Int($1) } }
    if length == 127 { length = (try await socket.receive(bytes: 8) ?? []).reduce(0) { $0 << 8 | Int($1) } }
    return Frame(opcode: head[0] & 0x0f, payload: try await socket.receive(bytes: length) ?? [])
  }

  /// The next message of that name; pings and other messages are passed over.
  func message<Expected: Message>(_ type: Expected.Type) async throws -> (message: Expected, envelope: Envelope) {
    let envelope = try await answer(Expected.name)
    return (try Expected(from: envelope), envelope)
  }

  /// The next message of that name, be it a refusal.
  func answer(_ name: MessageName) async throws -> Envelope {
    while let frame = try await receive() {
      guard frame.opcode == 1 else {
        if let code = frame.closeCode { throw Closed(code: code) }
        continue
      }
      let envelope = try Envelope(frame.text)
      if envelope.name == name { return envelope }
    }
    throw Closed(code: nil)
  }

  struct Closed: Error, Equatable {
    let code: Int?
  }

  /// The code with which the gateway closes the connection; messages before are passed over.
  func closeCode() async throws -> Int? {
    while let frame = try await receive() {
      if let code = frame.closeCode { return code }
    }
    return nil
  }

  /// The reason with which the gateway refuses to go on; messages before are passed over.
  func closeReason() async throws -> String? {
    while let frame = try await receive() {
      if frame.closeCode == 1008 { return String(decoding: frame.payload.dropFirst(2), as: UTF8.self) }
    }
    return nil
  }

  /// Logs in, and returns what the gateway says to it.
  func logIn(sip: String, secret: String, domain: String = "", info: RawJSON? = nil) async throws -> AppLoginResult {
    try await send(AppChallenge().text)
    let challenge = try await message(AppChallengeResult.self).message.challenge
    try await send(Login(.init(app: "test", domain: domain, sip: sip), info: info, challenge: challenge, password: secret).text)
    return try await message(AppLoginResult.self).message
  }
}
