/// Reads a JSON text (RFC 8259) strictly and in one pass, and knows where each property of the outermost object stands in it.
///
/// The login digest covers the text of `info` exactly as it was sent, which no decoder gives back: decoders forget order, blanks and escapes.
/// Beside the place in the text, the scanner writes the canonical form of everything it reads: no blanks, order kept, strings escaped only where they
/// must be, as JavaScript's `JSON.stringify` does it. Numbers stay as they are.
struct JSONScanner {
  /// How deep arrays and objects may be nested.
  static let maximumDepth = 32

  /// A property of the outermost object: its decoded name, and where its value stands in the text and in the canonical form.
  struct Property {
    let name: String
    let text: Range<Int>
    let canonical: Range<Int>
  }

  private let text: [UInt8]
  private var position = 0
  private(set) var canonical: [UInt8] = []
  private(set) var properties: [Property] = []

  /// Reads a whole text, which holds one value and nothing after it.
  init(_ text: [UInt8]) throws(MessageError) {
    self.text = text
    canonical.reserveCapacity(text.count)
    try value(depth: 0)
    guard next == nil else { throw fault("something follows the JSON value") }
  }

  private func fault(_ reason: String) -> MessageError {
    MessageError(.badMessage, "This is no JSON that is understood: \(reason), at byte \(position).")
  }

  /// The next byte that is no blank.
  private var next: UInt8? {
    mutating get {
      while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
      return position < text.count ? text[position] : nil
    }
  }

  private mutating func take(_ character: Unicode.Scalar) throws(MessageError) {
    guard next == UInt8(ascii: character) else { throw fault("'\(character)' is missing") }
    position += 1
    canonical.append(UInt8(ascii: character))
  }

  private mutating func value(depth: Int) throws(MessageError) {
    guard depth < Self.maximumDepth else { throw fault("it is nested too deep") }
    switch next {
    case UInt8(ascii: "{"): try object(depth: depth)
    case UInt8(ascii: "["): try array(depth: depth)
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: try number()
    }
  }

  private mutating func object(depth: Int) throws(MessageError) {
    try take("{")
    var names: Set<String> = []
    while next != UInt8(ascii: "}") {
      if !names.isEmpty { try take(",") }
      guard next == UInt8(ascii: "\"") else { throw fault("a property has no name") }
      let name = try string()
      // Which one of two would count is answered differently by every parser.
      guard names.insert(name).inserted else { throw fault("a property is there twice") }
      try take(":")
      _ = next
      let start = (position, canonical.count)
      try value(depth: depth + 1)
      if depth == 0 {
        properties.append(Property(name: name, text: start.0..<position, canonical: start.1..<canonical.count))
      }
    }
    try take("}")
  }

  private mutating func array(depth: Int) throws(MessageError) {
    try take("[")
    var isFirst = true
    while next != UInt8(ascii: "]") {
      if !isFirst { try take(",") }
      try value(depth: depth + 1)
      isFirst = false
    }
    try take("]")
  }

  private mutating func literal(_ word: StaticString) throws(MessageError) {
    let octets = Array("\(word)".utf8)
    guard text[position...].starts(with: octets) else { throw fault("a word is unknown") }
    position += octets.count
    canonical += octets
  }

  /// A number: `-`?, digits without a needless zero, fraction?, exponent?
  private mutating func number() throws(MessageError) {
    let start = position
    if peek("-") { position += 1 }
    if peek("0") { position += 1 } else { try digits() }
    if peek(".") {
      position += 1
      try digits()
    }
    if peek("e") || peek("E") {
      position += 1
      if peek("+") || peek("-") { position += 1 }
      try digits()
    }
    canonical += text[start..<position]
  }

  private func peek(_ character: Unicode.Scalar) -> Bool {
    position < text.count && text[position] == UInt8(ascii: character)
  }

  private mutating func digits() throws(MessageError) {
    let start = position
    while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) { position += 1 }
    guard position > start else { throw fault("a value is missing") }
  }

  /// A string, decoded; its canonical form is written. It begins at the quotation mark.
  private mutating func string() throws(MessageError) -> String {
    position += 1
    var octets: [UInt8] = []
    while true {
      guard position < text.count else { throw fault("a string has no end") }
      let octet = text[position]
      guard octet >= 0x20 else { throw fault("a control character is not escaped") }
      position += 1
      if octet == UInt8(ascii: "\"") { break }
      if octet == UInt8(ascii: "\\") {
        octets += try escape().utf8
      } else {
        octets.append(octet)
      }
    }
    canonical += JSONText.quoted(octets)
    return String(decoding: octets, as: UTF8.self)
  }

  /// What an escape stands for. It begins after the backslash.
  private mutating func escape() throws(MessageError) -> Unicode.Scalar {
    guard position < text.count else { throw fault("a string has no end") }
    position += 1
    switch Unicode.Scalar(text[position - 1]) {
    case "\"": return "\""
    case "\\": return "\\"
    case "/": return "/"
    case "b": return "\u{8}"
    case "f": return "\u{C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "u":
      var code = UInt32(try codeUnit())
      if UTF16.isLeadSurrogate(UInt16(code)) {
        guard peek("\\"), text[(position + 1)...].first == UInt8(ascii: "u") else { throw fault("half a surrogate pair is missing") }
        position += 2
        let trail = try codeUnit()
        guard UTF16.isTrailSurrogate(trail) else { throw fault("half a surrogate pair is missing") }
        code = 0x10000 + ((code & 0x3FF) << 10 | UInt32(trail) & 0x3FF)
      }
      guard let scalar = Unicode.Scalar(code) else { throw fault("half a surrogate pair is missing") }
      return scalar
    default:
      throw fault("an escape is unknown")
    }
  }

  private mutating func codeUnit() throws(MessageError) -> UInt16 {
    let digits = text[position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw fault("an escape has not four digits") }
    position += 4
    return value
  }
}
