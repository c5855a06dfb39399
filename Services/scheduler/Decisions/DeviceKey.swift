import SchedulerAPI

/// What a device is known by: the scope of its login and, inside it, the first of hardware id, sip and guid.
///
/// A login for one device is that device, whatever it tells about itself: its hardware may be replaced.
struct DeviceKey: Hashable {
  /// The scope of the devices whose CSRs an administrator hands in; no login has it.
  static let administratorScope = "administrator"
  /// The most characters of a scope or a key.
  static let longest = 256

  let scope: String
  let value: String

  /// The key of who is there.
  /// - Throws: ``Refusal`` when nothing tells the devices of the scope apart.
  init(_ identity: DeviceIdentity) throws(Refusal) {
    guard Self.isPlain(identity.scope), identity.scope != Self.administratorScope else {
      throw Refusal(.badMessage, "The scope of the login is not one of instance, domain:<domain> and device:<login>.")
    }
    let login = "device:"
    if identity.scope.hasPrefix(login) {
      self.init(scope: identity.scope, value: String(identity.scope.dropFirst(login.count)))
      return
    }
    guard let value = [identity.hardwareID, identity.sip, identity.guid].compactMap({ $0 }).first(where: { !$0.isEmpty }) else {
      throw Refusal(
        .missingProperty,
        "The device tells no hardware id, sip or guid of 1 to 64 visible characters that it could be known by; let its hardware id be the login's sip."
      )
    }
    guard Self.isPlain(value) else {
      throw Refusal(.badMessage, "The device's hardware id, sip or guid is longer than \(Self.longest) characters or not printable.")
    }
    self.init(scope: identity.scope, value: value)
  }

  /// The key of a device that cannot connect, by the name that an administrator gives it.
  init(administratorsName name: String) throws(Refusal) {
    guard Self.isPlain(name) else {
      throw Refusal(.badMessage, "The device's name is empty, longer than \(Self.longest) characters or not printable.")
    }
    self.init(scope: Self.administratorScope, value: name)
  }

  private init(scope: String, value: String) {
    self.scope = scope
    self.value = value
  }

  /// Code points are counted, for one character may have any number of them. Those that are not seen, or turn the text around, would make one
  /// device look like another.
  private static func isPlain(_ text: String) -> Bool {
    (1...longest).contains(text.unicodeScalars.count)
      && text.unicodeScalars.allSatisfy { ![.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory) }
  }
}
