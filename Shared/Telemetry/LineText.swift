extension Unicode.Scalar {
  /// Whether it could end a line, steer a terminal or change how what stands beside it looks: controls, also those of C1, what reorders text or is not
  /// seen at all, and what is no character.
  public var disturbsLine: Bool {
    if isASCII { return value < 0x20 || value == 0x7f }
    return switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
    default: false
    }
  }
}

/// Text made safe for one line of a log.
enum LineText {
  /// The text with everything escaped that could end the line or change how it looks.
  static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: needsEscape) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\\": result += "\\\\"
      case _ where needsEscape(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The text as the value of a key: in quotes when a space or a sign of the line's own grammar is in it.
  static func value(_ text: String) -> String {
    let isPlain = !text.isEmpty && !text.unicodeScalars.contains { $0 == " " || $0 == "\"" || $0 == "=" }
    let safe = escaped(text)
    if isPlain { return safe }
    return "\"" + safe.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"") + "\""
  }

  private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool { scalar.disturbsLine || scalar == "\\" }
}
