import FoundationEssentials
import NIOCore
import NIOFoundationEssentialsCompat

/// A call on the wire.
struct Call<Parameters: Encodable>: Encodable {
  var method: String
  var parameters: Parameters
  var more: Bool?
  var oneway: Bool?
}

/// What a server reads first: whom the call is for, and how it wants to be answered.
struct CallHead: Decodable {
  var method: String
  var more: Bool?
  var oneway: Bool?
  var upgrade: Bool?
}

/// What either end reads once it knows the types. Absent parameters are an empty object.
struct Body<Parameters: Decodable>: Decodable {
  var parameters: Parameters

  private enum Members: CodingKey { case parameters }

  init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: Members.self)
    if let parameters = try members.decodeIfPresent(Parameters.self, forKey: .parameters) {
      self.parameters = parameters
    } else {
      parameters = try JSONDecoder().decode(Parameters.self, from: Data("{}".utf8))
    }
  }
}

/// A reply on the wire.
struct Reply<Parameters: Encodable>: Encodable {
  var parameters: Parameters
  var continues: Bool?
  var error: String?
}

/// What a client reads first of a reply.
struct ReplyHead: Decodable {
  var error: String?
  var continues: Bool?
}

/// JSON as it goes over the socket, and the bounds it is held to.
struct MessageCoding: Sendable {
  /// Why a message was not read.
  enum Fault: Error {
    case tooDeep
    case tooLong
  }

  let limits: VarlinkLimits

  /// A message with the NUL that ends it.
  func encode(_ message: some Encodable) throws -> ByteBuffer {
    let encoder = JSONEncoder()
    // Sorted, so that the same message is the same bytes.
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    let json = try encoder.encode(message)
    guard json.count <= limits.messageBytes else { throw Fault.tooLong }
    var buffer = ByteBuffer()
    buffer.reserveCapacity(json.count + 1)
    buffer.writeBytes(json)
    buffer.writeInteger(UInt8(0))
    return buffer
  }

  func decode<Message: Decodable>(_ type: Message.Type, from message: ByteBuffer) throws -> Message {
    try JSONDecoder().decode(type, from: Data(buffer: message))
  }

  /// Refuses a message that is nested too deeply before a decoder follows it down.
  func checkDepth(of message: ByteBuffer) throws {
    var depth = 0
    var inString = false
    var escaped = false
    for byte in message.readableBytesView {
      if inString {
        if escaped {
          escaped = false
        } else if byte == UInt8(ascii: "\\") {
          escaped = true
        } else if byte == UInt8(ascii: "\"") {
          inString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): inString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        guard depth <= limits.depth else { throw Fault.tooDeep }
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
    }
  }
}
