/// The close codes (RFC 6455, section 7.4; IANA's registry) that the device protocol knows.
public enum CloseCode: UInt16, Sendable, Hashable, CaseIterable {
  /// The client is done.
  case normal = 1000
  /// The server is being restarted; reconnect at once.
  case restarting = 1001
  /// What came is not allowed.
  case refused = 1008
  /// What came is too large.
  case tooLarge = 1009
  /// There are too many connections; reconnect later.
  case busy = 1013

  /// The reason that comes with ``refused`` when the device has logged in on another connection since: whoever shares its identity would take the
  /// connection from it again and again.
  public static let replaced = "replaced by a newer connection of this device"
}
