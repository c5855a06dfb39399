import PKI

/// A message of the DNS as a stub resolver sends and reads it (RFC 1035, section 4). Names are lower-case text without the trailing dot.
struct DNSMessage: Sendable, Hashable {
  /// What a message is about.
  struct Question: Sendable, Hashable {
    let name: String
    let type: RecordType
  }

  /// The types that are asked for.
  enum RecordType: UInt16, Sendable {
    case address = 1
    case alias = 5
    case ipv6Address = 28
    /// RFC 8659.
    case authorization = 257
  }

  /// How the server fared (RFC 1035, section 4.1.1).
  struct ResponseCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    let rawValue: UInt8

    static let noError = ResponseCode(rawValue: 0)
    static let serverFailure = ResponseCode(rawValue: 2)
    static let noName = ResponseCode(rawValue: 3)
    static let refused = ResponseCode(rawValue: 5)

    /// As dig(1) writes it.
    var description: String {
      switch rawValue {
      case 0: "NOERROR"
      case 1: "FORMERR"
      case 2: "SERVFAIL"
      case 3: "NXDOMAIN"
      case 4: "NOTIMP"
      case 5: "REFUSED"
      default: "RCODE \(rawValue)"
      }
    }
  }

  /// A resource record of a type that is asked for.
  struct Record: Sendable, Hashable {
    enum Content: Sendable, Hashable {
      case address(IPAddress)
      case alias(String)
      case authorization(CAARecord)
    }
    let name: String
    let content: Content

    var type: RecordType {
      switch content {
      case .address(let address): address.isIPv6 ? .ipv6Address : .address
      case .alias: .alias
      case .authorization: .authorization
      }
    }
  }

  /// The message is none, or is damaged.
  struct Malformed: Error {}

  let id: UInt16
  let isTruncated: Bool
  let code: ResponseCode
  /// What it answers; nil where a server that refuses does not repeat it.
  let question: Question?
  let answers: [Record]

  /// More records than these are not read.
  private static let mostRecords = 256

  /// The question as it is sent: recursion is wanted, and answers of up to 1,232 bytes over UDP (RFC 6891).
  static func query(_ question: Question, id: UInt16) -> [UInt8]? {
    // The name of the root, to which an alias may lead, has no label.
    let labels = question.name.isEmpty ? [] : question.name.split(separator: ".", omittingEmptySubsequences: false)
    guard question.name.utf8.count <= DNSName.maximumLength, labels.allSatisfy({ (1...63).contains($0.utf8.count) }) else { return nil }
    var message = id.octets + [0x01, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    for label in labels { message += [UInt8(label.utf8.count)] + Array(label.utf8) }
    message += [0] + question.type.rawValue.octets + [0, 1]
    message += [0, 0, 41] + UInt16(1_232).octets + [0, 0, 0, 0, 0, 0]
    return message
  }

  /// Reads a response.
  init(_ bytes: [UInt8]) throws(Malformed) {
    var reader = DNSReader(bytes)
    id = try reader.number()
    let flags = try reader.number()
    let questions = try reader.number()
    isTruncated = flags & 0x0200 != 0
    code = ResponseCode(rawValue: UInt8(flags & 0xF))
    // A response, to a query of the standard kind.
    guard flags & 0xF800 == 0x8000, questions == 1 || (questions == 0 && code != .noError) else { throw Malformed() }
    let count = Int(try reader.number())
    _ = try reader.octets(4)
    question = questions == 0 ? nil : try reader.question()
    var answers: [Record] = []
    // What does not fit comes over TCP.
    if !isTruncated { for _ in 0..<min(count, Self.mostRecords) { if let record = try reader.record() { answers.append(record) } } }
    self.answers = answers
  }

  /// Whether it is the answer to a question that was sent with this id (RFC 5452, section 9.1; that it comes from the server that was asked, and to the
  /// port that was asked from, the socket sees to). Nothing is learned from one without a question but that the server refuses.
  func answers(_ asked: Question, id: UInt16) -> Bool { self.id == id && (question.map { $0 == asked } ?? true) }

  /// The id of what may be no message at all.
  static func id(of bytes: [UInt8]) -> UInt16? { bytes.count < 2 ? nil : UInt16(bytes[0]) << 8 | UInt16(bytes[1]) }
}

/// Reads a message from its first to its last octet.
private struct DNSReader {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func octets(_ count: Int) throws(DNSMessage.Malformed) -> ArraySlice<UInt8> {
    guard count <= bytes.count - place else { throw DNSMessage.Malformed() }
    defer { place += count }
    return bytes[place..<place + count]
  }

  mutating func number() throws(DNSMessage.Malformed) -> UInt16 { try octets(2).reduce(0) { $0 << 8 | UInt16($1) } }

  mutating func octet() throws(DNSMessage.Malformed) -> UInt8 { try octets(1).reduce(0) { $1 | $0 } }

  /// A name, whose rest may stand earlier in the message (section 4.1.4).
  mutating func name() throws(DNSMessage.Malformed) -> String {
    var labels: [String] = []
    var end: Int?
    while true {
      let start = place
      let length = try octet()
      switch length {
      case 0:
        if let end { place = end }
        return labels.joined(separator: ".")
      case 1...63:
        let label = try octets(Int(length))
        // A dot or a blank within a label would make two names look alike.
        guard labels.count < 127, label.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ".") }) else { throw DNSMessage.Malformed() }
        labels.append(String(decoding: label, as: UTF8.self).lowercased())
      case 0xC0...:
        let target = Int(length & 0x3F) << 8 | Int(try octet())
        if end == nil { end = place }
        // Only backwards, so that it ends.
        guard target < start else { throw DNSMessage.Malformed() }
        place = target
      default:
        throw DNSMessage.Malformed()
      }
    }
  }

  mutating func question() throws(DNSMessage.Malformed) -> DNSMessage.Question {
    let name = try name()
    guard let type = DNSMessage.RecordType(rawValue: try number()), try number() == Self.internet else { throw DNSMessage.Malformed() }
    return .init(name: name, type: type)
  }

  /// The class of everything that is asked for (section 3.2.4).
  private static let internet: UInt16 = 1

  /// A record; nil if it is of no interest.
  mutating func record() throws(DNSMessage.Malformed) -> DNSMessage.Record? {
    let name = try name()
    let (kind, isOfInternet) = (try number(), try number() == Self.internet)
    let type = isOfInternet ? DNSMessage.RecordType(rawValue: kind) : nil
    // How long it may be kept.
    _ = try octets(4)
    let length = Int(try number())
    let end = place + length
    guard end <= bytes.count else { throw DNSMessage.Malformed() }
    defer { place = end }
    switch type {
    case .address, .ipv6Address:
      guard length == (type == .address ? 4 : 16), let address = IPAddress(octets: try octets(length)) else { throw DNSMessage.Malformed() }
      return .init(name: name, content: .address(address))
    case .alias:
      return .init(name: name, content: .alias(try self.name()))
    case .authorization:
      let (flags, tagLength) = (try octet(), Int(try octet()))
      guard tagLength + 2 <= length else { throw DNSMessage.Malformed() }
      let tag = String(decoding: try octets(tagLength), as: UTF8.self).lowercased()
      return .init(
        name: name,
        content: .authorization(CAARecord(flags: flags, tag: tag, value: String(decoding: try octets(end - place), as: UTF8.self))))
    case nil:
      return nil
    }
  }
}

extension UInt16 {
  /// In network byte order.
  fileprivate var octets: [UInt8] { [UInt8(self >> 8), UInt8(truncatingIfNeeded: self)] }
}
