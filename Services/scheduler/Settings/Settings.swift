import ACMEClientAPI
import FoundationEssentials
import PKI
import SchedulerAPI
import Telemetry

/// What is set at one moment, in the types of those who go by it.
struct Settings: Sendable, Hashable {
  /// The CA, if there is one.
  let authority: Authority?
  /// Whether the CA certifies only names of the public DNS.
  let isAuthorityPublic: Bool
  /// What devices are told.
  let devices: DeviceSettings
  /// What the gateway is told about itself.
  let gateway: GatewaySettings
  /// By what certificates become due.
  let renewalRule: RenewalRule
  /// How long a connected device that was asked for a CSR has to hand it in.
  let answerPatience: Duration
  /// After how long a device is told once more of an alarm that stands.
  let alarmPause: Duration
  /// What the CA allows; nil where that is not to be kept to.
  let limits: AuthorityLimits?
  /// How many orders are under way at a time.
  let concurrentOrders: Int
  /// How long events are kept.
  let eventRetention: Duration
  /// The ports at which certificates are looked for; none: they are not.
  let servedPorts: [Int]
  /// Whether they are looked for at addresses that are not public, too.
  let servedPrivateAddresses: Bool
  /// When the doctor looks at names by itself.
  let doctorMode: DoctorMode
  /// How it looks.
  let doctorVantage: ACMEClient.Vantage
  /// For which devices each category is traced.
  let tracing: [TraceCategory: TraceSelection]

  /// The settings of these layers, whose values are all allowed.
  init(_ layers: SettingLayers) {
    let values = Dictionary(uniqueKeysWithValues: SettingDefinition.all.map { ($0.key, layers.value($0).value) })
    func text(_ key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }
    func number(_ key: String) -> Int { values[key].flatMap { Int($0) } ?? 0 }

    authority = text("authority.directory").map { directory in
      Authority(
        directory: directory,
        contact: text("authority.contact")?.split(separator: ",").map(String.init) ?? [],
        termsAgreed: text("authority.termsAgreed") == "true",
        accountKey: text("authority.accountKey"),
        trustRoots: text("authority.trustRoots"),
        profile: text("authority.profile"),
        preferredChain: text("authority.preferredChain"))
    }
    switch text("authority.public") {
    case "true": isAuthorityPublic = true
    case "false": isAuthorityPublic = false
    default:
      let host = authority.flatMap { URL(string: $0.directory)?.host() }
      isAuthorityPublic = host.flatMap { DNSName($0) }?.isPublic ?? false
    }
    devices = DeviceSettings(
      renewDays: number("devices.renewDays"), installDays: number("devices.installDays"), maxDnsNames: number("devices.maxDnsNames"))
    gateway = GatewaySettings(
      names: (text("gateway.names") ?? "").split(separator: ",").compactMap { DNSName(String($0)) },
      trustedProxies: (text("gateway.trustedProxies") ?? "").split(separator: ",").compactMap { IPNetwork(String($0)) })
    renewalRule = RenewalRule(
      renewDays: number("devices.renewDays"), floor: .seconds(60 * number("orders.pauseMinutes")),
      authority: text("authority.directory").map(DirectoryURL.init))
    answerPatience = .seconds(60 * number("renewal.answerMinutes"))
    alarmPause = .seconds(60 * number("alarms.repeatMinutes"))
    let keepsToLimits = text("limits.apply") == "true" || text("limits.apply") == "auto" && isAuthorityPublic
    limits = keepsToLimits ? AuthorityLimits(number) : nil
    concurrentOrders = max(1, number("orders.concurrent"))
    eventRetention = .days(number("events.keepDays"))
    servedPorts = (text("served.ports") ?? "").split(separator: ",").compactMap { Int($0) }
    servedPrivateAddresses = text("served.privateAddresses") == "true"
    doctorMode = text("doctor.mode").flatMap(DoctorMode.init) ?? .advise
    doctorVantage = ACMEClient.Vantage(
      resolver: text("doctor.resolver"), privateAddresses: (text("doctor.privateAddresses") ?? "").split(separator: ",").map(String.init),
      httpPort: number("doctor.httpPort"), httpsPort: number("doctor.httpsPort"))
    tracing = Dictionary(
      uniqueKeysWithValues: TraceCategory.allCases.map { ($0, TraceSelection(setting: layers.value(.tracing($0)).value) ?? TraceSelection()) })
  }

  /// Whether a category is traced for a device.
  func traces(_ category: TraceCategory, of device: DeviceID?) -> Bool { tracing[category]?.contains(device?.rawValue) ?? false }

  /// What is traced for a device.
  func traced(of device: DeviceID) -> Set<TraceCategory> { Set(TraceCategory.allCases.filter { traces($0, of: device) }) }
}

extension AuthorityLimits {
  /// As they are set; the times are the CA's.
  fileprivate init(_ number: (String) -> Int) {
    ordersPerAccount = RateLimit(count: max(1, number("limits.ordersPerAccount")), period: .seconds(3 * 3_600))
    certificatesPerDomain = RateLimit(count: max(1, number("limits.certificatesPerDomain")), period: .days(7))
    certificatesPerSet = RateLimit(count: max(1, number("limits.certificatesPerSet")), period: .days(7))
    failuresPerName = RateLimit(count: max(1, number("limits.failuresPerName")), period: .seconds(3_600))
  }
}
