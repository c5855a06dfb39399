public import PKI

/// Something is wrong with a certificate of the device. It is said again every now and then while it stands, and after each login.
public struct AlarmAdded: Message, Codable {
  /// What is wrong, as the number that alarm servers know it by.
  public var code: ShortText
  /// 0 minor, 1 indeterminate, 2 major.
  public var severity: Int
  /// One sentence for a person: `text` on the wire, which here is the whole message.
  public var sentence: String
  /// The name that it is about.
  public var dns: DNSName?

  private enum CodingKeys: String, CodingKey {
    case code, severity, dns
    case sentence = "text"
  }

  /// An alarm.
  public init(code: ShortText, severity: Int, sentence: String, dns: DNSName? = nil) {
    self.code = code
    self.severity = severity
    self.sentence = sentence
    self.dns = dns
  }
}

/// An alarm stands no more.
public struct AlarmCleared: Message, Codable {
  /// What was wrong, as the number that alarm servers know it by.
  public var code: ShortText
  /// 0 minor, 1 indeterminate, 2 major.
  public var severity: Int
  /// One sentence for a person: `text` on the wire, which here is the whole message.
  public var sentence: String
  /// The name that it is about.
  public var dns: DNSName?

  private enum CodingKeys: String, CodingKey {
    case code, severity, dns
    case sentence = "text"
  }

  /// The end of an alarm.
  public init(code: ShortText, severity: Int, sentence: String, dns: DNSName? = nil) {
    self.code = code
    self.severity = severity
    self.sentence = sentence
    self.dns = dns
  }
}
