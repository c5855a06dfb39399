import PKI

/// What administrators call a login, and what stands in the log for it.
struct LoginName: TextValue, Comparable {
  /// 1 to 64 letters, digits, dots, hyphens, underscores or at signs: nothing that a shell or a log would take for something else.
  let value: String

  init?(_ text: String) {
    guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
    value = text
  }

  var description: String { value }

  static func < (left: LoginName, right: LoginName) -> Bool { left.value < right.value }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: ".-_@".utf8.contains(byte)
    }
  }
}

/// The domain (tenant) that devices name in `AppLogin`. It need not be a DNS name: a PBX says `example.com` or `pbx.example.com/master`.
struct TenantDomain: TextValue {
  /// In lower case: two spellings are one tenant.
  let value: String

  init?(_ text: String) {
    let isPrintable = text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.properties.generalCategory != .control }
    // The colon separates the fields of the login digest.
    guard (1...253).contains(text.utf8.count), isPrintable, !text.contains(":") else { return nil }
    value = text.lowercased()
  }

  var description: String { value }
}
