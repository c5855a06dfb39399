public import PKI

/// Who is there, as the login proved it.
public struct DeviceIdentity: Codable, Sendable, Hashable {
  /// The scope of the login: `instance`, `domain:<domain>` or `device:<login>`.
  public var scope: String
  /// The hardware id that the device has told.
  public var hardwareID: String?
  /// The login's `sip`.
  public var sip: String?
  /// The login's `guid`.
  public var guid: String?
  /// The only names, and their subdomains, that this login may ask for; nil for any.
  public var nameSuffixes: [DNSName]?
  /// Where the connection came from.
  public var address: String?

  /// An identity; the device is its scope and the first of hardware id, sip and guid.
  public init(
    scope: String, hardwareID: String? = nil, sip: String? = nil, guid: String? = nil, nameSuffixes: [DNSName]? = nil, address: String? = nil
  ) {
    self.scope = scope
    self.hardwareID = hardwareID
    self.sip = sip
    self.guid = guid
    self.nameSuffixes = nameSuffixes
    self.address = address
  }
}

/// What a device tells about itself.
public struct DeviceDescription: Codable, Sendable, Hashable {
  /// GW, VA, PHONE, DECT, APP_PLATFORM, LINUX or OTHER.
  public var kind: String?
  /// Its product name.
  public var product: String?
  /// Its firmware or software version.
  public var version: String?
  /// What its users call it.
  public var name: String?
  /// `pbx`, `reverseProxy`.
  public var roles: [String]
  /// The names it answers to.
  public var dnsNames: [String]
  /// The leaves (PEM) it has now.
  public var certificates: [String]
  /// How it answers challenges: external, push or lookup.
  public var challenge: String?
  /// Its clock.
  public var clock: Instant?

  /// A device's own description.
  public init(
    kind: String? = nil, product: String? = nil, version: String? = nil, name: String? = nil, roles: [String], dnsNames: [String],
    certificates: [String], challenge: String? = nil, clock: Instant? = nil
  ) {
    self.kind = kind
    self.product = product
    self.version = version
    self.name = name
    self.roles = roles
    self.dnsNames = dnsNames
    self.certificates = certificates
    self.challenge = challenge
    self.clock = clock
  }
}

/// The settings that devices are told.
public struct DeviceSettings: Codable, Sendable, Hashable {
  /// How many days before its end a certificate is renewed.
  public var renewDays: Int
  /// How many days before the old one's end a new certificate is installed.
  public var installDays: Int
  /// How many names a CSR may have.
  public var maxDnsNames: Int

  /// Settings for devices.
  public init(renewDays: Int, installDays: Int, maxDnsNames: Int) {
    self.renewDays = renewDays
    self.installDays = installDays
    self.maxDnsNames = maxDnsNames
  }
}
