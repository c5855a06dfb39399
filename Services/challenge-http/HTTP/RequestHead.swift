import Glibc

/// The head of a request, as far as this service needs it (RFC 9112): positions in the bytes it was read from, so that nothing is copied.
struct RequestHead: Equatable {
  enum Method: Equatable { case get, head, other }

  /// Where reading has come to.
  enum Reading: Equatable {
    /// The head does not end here.
    case incomplete
    /// It is no HTTP/1 request, or one that two servers could understand differently.
    case malformed
    case complete(RequestHead)
  }

  var method: Method
  /// The request target.
  var target: Range<Int>
  /// The value of Host; nil without one.
  var host: Range<Int>?
  /// The value of the last X-Forwarded-For; nil without one.
  var forwardedFor: Range<Int>?
  /// The connection stays open for another request.
  var keepsAlive: Bool
  /// The client asks for that in so many words.
  var saysKeepAlive = false
  /// A body follows.
  var hasBody: Bool
  /// HTTP/1.0
  let isOld: Bool
  /// The bytes of the head, with the empty line that ends it.
  var length: Int

  /// Reads the head at the beginning of `bytes`. It is read from its start each time, which is cheap: a head is short, and its lines are found
  /// by memchr(3).
  static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
    var lines = HeadLines(bytes)
    var head: RequestHead?
    while let line = lines.next() {
      if line.isEmpty {
        // "A server SHOULD ignore at least one empty line received prior to the request-line" (RFC 9112, section 2.2).
        guard var complete = head else { continue }
        // A server answers 400 to a request of HTTP/1.1 without Host (RFC 9112, section 3.2).
        guard complete.host != nil || complete.isOld else { return .malformed }
        complete.length = lines.position
        return .complete(complete)
      }
      guard bytes[line].allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == tab }) else { return .malformed }
      if head == nil {
        head = requestLine(bytes, line)
        guard head != nil else { return .malformed }
      } else if head?.take(bytes, field: line) != true {
        return .malformed
      }
    }
    return .incomplete
  }

  /// method SP request-target SP HTTP-version (RFC 9112, section 3)
  private static func requestLine(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> RequestHead? {
    guard let first = bytes[line].firstIndex(of: space), let last = bytes[line].lastIndex(of: space), first + 1 < last else { return nil }
    let target = first + 1..<last
    let version = last + 1..<line.upperBound
    guard first > line.lowerBound, !bytes[target].contains(space), version.count == 8, spell(bytes, version.prefix(7), "http/1.") else { return nil }
    let method: Method =
      switch first - line.lowerBound {
      case 3 where bytes[line.lowerBound..<first].elementsEqual("GET".utf8): .get
      case 4 where bytes[line.lowerBound..<first].elementsEqual("HEAD".utf8): .head
      default: .other
      }
    let isOld = bytes[version.upperBound - 1] == UInt8(ascii: "0")
    return RequestHead(method: method, target: target, host: nil, keepsAlive: !isOld, hasBody: false, isOld: isOld, length: 0)
  }

  /// Takes what matters from a header field.
  /// - Returns: false if it is none (RFC 9112, section 5: no space before the colon, no folded lines).
  private mutating func take(_ bytes: UnsafeRawBufferPointer, field line: Range<Int>) -> Bool {
    guard let colon = bytes[line].firstIndex(of: UInt8(ascii: ":")), colon > line.lowerBound else { return false }
    let name = line.lowerBound..<colon
    guard bytes[name].allSatisfy({ $0 > Self.space }) else { return false }
    let value = Self.trimmed(bytes, colon + 1..<line.upperBound)
    switch name.count {
    case 4 where Self.spell(bytes, name, "host"):
      guard host == nil else { return false }
      host = value
    case 10 where Self.spell(bytes, name, "connection"):
      for option in bytes[value].split(separator: UInt8(ascii: ",")) {
        let option = Self.trimmed(bytes, option.startIndex..<option.endIndex)
        if Self.spell(bytes, option, "close") { keepsAlive = false }
        if Self.spell(bytes, option, "keep-alive") { saysKeepAlive = true }
      }
      if isOld, saysKeepAlive { keepsAlive = true }
    case 14 where Self.spell(bytes, name, "content-length"):
      guard !value.isEmpty, bytes[value].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return false }
      if !bytes[value].allSatisfy({ $0 == UInt8(ascii: "0") }) { hasBody = true }
    case 15 where Self.spell(bytes, name, "x-forwarded-for"):
      forwardedFor = value
    case 17 where Self.spell(bytes, name, "transfer-encoding"):
      hasBody = true
    default: break
    }
    return true
  }

  private static func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
    var range = range
    while let first = range.first, bytes[first] == space || bytes[first] == tab { range = first + 1..<range.upperBound }
    while let last = range.last, bytes[last] == space || bytes[last] == tab { range = range.lowerBound..<last }
    return range
  }

  /// Whether these bytes spell `text`, which is in lower case, in any case.
  private static func spell(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    return zip(bytes[range], UnsafeBufferPointer(start: text.utf8Start, count: range.count)).allSatisfy { byte, letter in
      byte == letter || byte | 0x20 == letter && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
  }

  private static let space = UInt8(ascii: " ")
  private static let tab = UInt8(ascii: "\t")
}

/// The lines of a head, without their ends. A lone LF ends a line too (RFC 9112, section 2.2).
private struct HeadLines {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func next() -> Range<Int>? {
    guard position < bytes.count, let base = bytes.baseAddress, let end = memchr(base + position, CInt(UInt8(ascii: "\n")), bytes.count - position)
    else {
      return nil
    }
    let start = position
    var length = UnsafeRawPointer(end) - (base + start)
    position = start + length + 1
    if length > 0, bytes[start + length - 1] == UInt8(ascii: "\r") { length -= 1 }
    return start..<start + length
  }
}
