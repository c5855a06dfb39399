public import PKI

/// The protocol that devices and the connector speak over an AppWebsocket.
public enum DeviceProtocol {
  /// The version that is spoken here.
  public static let version = 1
}

/// A device tells what it is, what it has and what it can do.
public struct RegisterDevice: Message, Codable {
  /// The kind of a device. Open: other words are passed on as they are.
  public struct Kind: RawRepresentable, Codable, Sendable, Hashable {
    /// The word.
    public let rawValue: String
    /// A kind by its word.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A gateway.
    public static let gateway = Kind(rawValue: "GW")
    /// A virtual appliance.
    public static let virtualAppliance = Kind(rawValue: "VA")
    /// A phone.
    public static let phone = Kind(rawValue: "PHONE")
    /// A DECT base station.
    public static let dect = Kind(rawValue: "DECT")
    /// An App Platform.
    public static let appPlatform = Kind(rawValue: "APP_PLATFORM")
    /// A Linux host.
    public static let linux = Kind(rawValue: "LINUX")
    /// Anything else.
    public static let other = Kind(rawValue: "OTHER")
  }

  /// What a device does for others. Open: other words are passed on as they are.
  public struct Role: RawRepresentable, Codable, Sendable, Hashable {
    /// The word.
    public let rawValue: String
    /// A role by its word.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// It is a PBX.
    public static let pbx = Role(rawValue: "pbx")
    /// It forwards requests for other hosts, those of the authority among them.
    public static let reverseProxy = Role(rawValue: "reverseProxy")
  }

  /// Who answers the authority's requests for the device's names. Open: other words are passed on as they are.
  public struct ChallengeMode: RawRepresentable, Codable, Sendable, Hashable {
    /// The word.
    public let rawValue: String
    /// A mode by its word.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// They are led to the connector by the network.
    public static let external = ChallengeMode(rawValue: "external")
    /// The device, with what it is told beforehand.
    public static let push = ChallengeMode(rawValue: "push")
    /// The device, which asks for each request.
    public static let lookup = ChallengeMode(rawValue: "lookup")
  }

  /// The version of the device protocol that the device speaks.
  public var `protocol`: Int
  /// Its hardware id, often its MAC address without separators.
  public var hwId: ShortText?
  /// What kind of device it is.
  public var type: Kind?
  /// Its product name.
  public var product: String?
  /// Its firmware or software version.
  public var version: String?
  /// What its users call it.
  public var name: String?
  /// What it does for others.
  public var roles: [Role]?
  /// The names it answers to, as it writes them; there may be wildcards among them.
  public var dnsNames: [String]?
  /// The leaves of its certificates, PEM.
  public var certificates: [String]?
  /// Who answers the authority; external if it is not said.
  public var challenge: ChallengeMode?
  /// Its clock.
  public var clock: Instant?

  /// A device that tells nothing yet.
  public init(hwId: ShortText? = nil, type: Kind? = nil) {
    self.protocol = DeviceProtocol.version
    self.hwId = hwId
    self.type = type
  }
}

/// What a device is told when it has registered.
public struct RegisterDeviceResult: Message, Codable {
  /// The version of the device protocol that the connector speaks.
  public var `protocol`: Int
  /// How many days before its end a certificate is renewed.
  public var renewDays: Int
  /// How many days before the old one's end a new certificate is installed.
  public var installDays: Int
  /// How many names a CSR may have.
  public var maxDnsNames: Int
  /// Where the root certificates are, if the connector offers them.
  public var rootsUrl: String?
  /// The key of the connector.
  public var pin: SubjectPublicKeyPin
  /// Its next key, if it is about to change.
  public var nextPin: SubjectPublicKeyPin?
  /// The connector's clock.
  public var serverTime: Instant

  /// What a device is told.
  public init(
    renewDays: Int, installDays: Int, maxDnsNames: Int, rootsUrl: String? = nil, pin: SubjectPublicKeyPin, nextPin: SubjectPublicKeyPin? = nil,
    serverTime: Instant
  ) {
    self.protocol = DeviceProtocol.version
    self.renewDays = renewDays
    self.installDays = installDays
    self.maxDnsNames = maxDnsNames
    self.rootsUrl = rootsUrl
    self.pin = pin
    self.nextPin = nextPin
    self.serverTime = serverTime
  }
}

/// What a device was told has changed; all of it is told again.
public struct DeviceSettingsUpdated: Message, Codable {
  /// What holds from now on.
  public var settings: RegisterDeviceResult

  /// The settings that hold from now on.
  public init(_ settings: RegisterDeviceResult) {
    self.settings = settings
  }

  /// Reads the same properties as those of the answer to the registration.
  public init(from decoder: any Decoder) throws {
    settings = try RegisterDeviceResult(from: decoder)
  }

  /// Writes the same properties as those of the answer to the registration.
  public func encode(to encoder: any Encoder) throws {
    try settings.encode(to: encoder)
  }
}
