import FoundationEssentials

/// One block of a PEM text (RFC 7468): a label and the DER under it.
///
/// It is read as leniently as RFC 7468 allows a parser (any line length, LF or CRLF, explanatory text between the blocks), for devices write
/// what they write; it is written in the strict form.
struct PEMBlock: Sendable, Hashable {
  let label: String
  let der: [UInt8]

  /// All blocks of a text in their order, each one whole; at most `count` of them in at most `size` octets of text.
  static func blocks(in text: String, atMost count: Int, size: Int) throws(PKIError) -> [PEMBlock] {
    guard text.utf8.count <= size else { throw PKIError(.tooLarge, "The PEM text is larger than \(size) bytes.") }
    var blocks: [PEMBlock] = []
    var open: (label: Substring, base64: String)?
    for line in text.split(whereSeparator: \.isNewline).map(\.trimmed) {
      if let label = line.label(of: "BEGIN") {
        guard open == nil else { throw PKIError(.malformed, "A PEM block begins inside another one.") }
        open = (label, "")
      } else if let label = line.label(of: "END") {
        guard let block = open, block.label == label, let der = Data(base64Encoded: block.base64), !der.isEmpty else {
          throw PKIError(.malformed, "A PEM block is empty, is not in base64, or ends otherwise than it began.")
        }
        guard blocks.count < count else { throw PKIError(.tooLarge, "There are more than \(count) PEM blocks.") }
        blocks.append(PEMBlock(label: String(label), der: Array(der)))
        open = nil
      } else {
        open?.base64 += line
      }
    }
    guard open == nil else { throw PKIError(.malformed, "The last PEM block has no end.") }
    return blocks
  }

  /// The block as text: lines of 64 characters, each ended by LF.
  var text: String {
    var lines = ["-----BEGIN \(label)-----"]
    var rest = Data(der).base64EncodedString()[...]
    while !rest.isEmpty {
      lines.append(String(rest.prefix(64)))
      rest = rest.dropFirst(64)
    }
    lines.append("-----END \(label)-----\n")
    return lines.joined(separator: "\n")
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let start = drop(while: blank)
    guard let last = start.lastIndex(where: { !blank($0) }) else { return start.prefix(0) }
    return start[...last]
  }

  fileprivate func label(of boundary: String) -> Substring? {
    guard hasPrefix("-----\(boundary) "), hasSuffix("-----"), count >= boundary.count + 11 else { return nil }
    return dropFirst(boundary.count + 6).dropLast(5)
  }
}
