/// JSON text as JavaScript's `JSON.stringify` writes it.
enum JSONText {
  /// A string with its quotation marks; escaped is only what must be.
  static func quoted(_ octets: some Sequence<UInt8>) -> [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "\"")]
    for octet in octets {
      switch Unicode.Scalar(octet) {
      case "\"": text += [0x5C, 0x22]
      case "\\": text += [0x5C, 0x5C]
      case "\u{8}": text += Array("\\b".utf8)
      case "\u{C}": text += Array("\\f".utf8)
      case "\n": text += Array("\\n".utf8)
      case "\r": text += Array("\\r".utf8)
      case "\t": text += Array("\\t".utf8)
      case "\0"..."\u{1F}": text += Array("\\u00\(octet < 0x10 ? "0" : "")\(String(octet, radix: 16))".utf8)
      default: text.append(octet)
      }
    }
    text.append(UInt8(ascii: "\""))
    return text
  }

  /// A string with its quotation marks.
  static func quoted(_ string: String) -> String {
    String(decoding: quoted(string.utf8), as: UTF8.self)
  }
}
