import Telemetry

extension SettingDefinition {
  /// All settings, in the order of the alphabet.
  static let all = [
    SettingDefinition(
      key: "alarms.repeatMinutes", standard: "30", kind: .number(1...1_440),
      meaning: "After how many minutes a device is told once more of an alarm that stands."),
    SettingDefinition(key: "authority.accountKey", standard: "", kind: .text, meaning: "The URI of the CA account's key; none makes a key file."),
    SettingDefinition(key: "authority.contact", standard: "", kind: .addresses, meaning: "E-mail addresses that the CA may write to."),
    SettingDefinition(
      key: "authority.directory", standard: "", kind: .url, meaning: "The URL of the CA's ACME directory; without it nothing is ordered."),
    SettingDefinition(key: "authority.preferredChain", standard: "", kind: .text, meaning: "The common name of the root that chains should end in."),
    SettingDefinition(key: "authority.profile", standard: "", kind: .text, meaning: "The certificate profile to ask the CA for."),
    SettingDefinition(
      key: "authority.public", standard: "auto", kind: .choice(["auto", "true", "false"]),
      meaning: "Whether the CA certifies only names of the public DNS; auto: when its own host has such a name."),
    SettingDefinition(key: "authority.termsAgreed", standard: "false", kind: .flag, meaning: "A person has agreed to the CA's terms of service."),
    SettingDefinition(
      key: "authority.trustRoots", standard: "", kind: .text,
      meaning: "The path of a PEM file that replaces the system's roots for the connection to the CA."),
    SettingDefinition(
      key: "devices.installDays", standard: "10", kind: .number(0...365),
      meaning: "How many days before the end of the old certificate a device takes the new one into use."),
    SettingDefinition(key: "devices.maxDnsNames", standard: "100", kind: .number(1...100), meaning: "How many names a CSR may have."),
    SettingDefinition(
      key: "devices.renewDays", standard: "30", kind: .number(1...365),
      meaning: "How many days before its end a certificate is renewed, at the earliest."),
    SettingDefinition(
      key: "doctor.httpPort", standard: "80", kind: .number(1...65_535),
      meaning: "The TCP port at which the doctor looks at names, 80 as for every CA but one in a laboratory."),
    SettingDefinition(
      key: "doctor.httpsPort", standard: "443", kind: .number(1...65_535),
      meaning: "The TCP port to which it follows redirects to https, 443 but in a laboratory."),
    SettingDefinition(
      key: "doctor.mode", standard: "advise", kind: .choice(DoctorMode.allCases.map(\.rawValue)),
      meaning:
        "Whether the doctor looks at names that never had a certificate when they are ordered, and says what is wrong, or has them wait for it."),
    SettingDefinition(
      key: "doctor.privateAddresses", standard: "", kind: .networks(mayBeAll: true),
      meaning: "The networks, like 10.0.0.0/8, that the doctor may connect to though they are not public; none are without it."),
    SettingDefinition(
      key: "doctor.resolver", standard: "", kind: .server,
      meaning: "The IP address (and port) of the DNS server that the doctor asks; without it those of /etc/resolv.conf."),
    SettingDefinition(key: "events.keepDays", standard: "365", kind: .number(1...3_650), meaning: "How many days events are kept."),
    SettingDefinition(
      key: "gateway.names", standard: "", kind: .names,
      meaning: "The gateway's public host names; it obtains a certificate for them, and without any serves one that it has signed itself."),
    SettingDefinition(
      key: "gateway.trustedProxies", standard: "", kind: .networks(mayBeAll: false),
      meaning:
        "The reverse proxies, like 127.0.0.1 or 10.0.0.0/29, that may connect without TLS, and whose X-Forwarded-For says where a device comes from; without it none is believed."
    ),
    SettingDefinition(
      key: "limits.apply", standard: "auto", kind: .choice(["auto", "true", "false"]),
      meaning: "Whether the CA has limits to be kept to; auto: when it certifies only names of the public DNS."),
    SettingDefinition(
      key: "limits.certificatesPerDomain", standard: "50", kind: .number(1...1_000_000),
      meaning: "How many certificates for new names of one registered domain the CA issues in seven days."),
    SettingDefinition(
      key: "limits.certificatesPerSet", standard: "5", kind: .number(1...1_000_000),
      meaning: "How many certificates for exactly the same names the CA issues in seven days."),
    SettingDefinition(
      key: "limits.failuresPerName", standard: "5", kind: .number(1...1_000_000),
      meaning: "How many failed validations of one name the CA allows in an hour."),
    SettingDefinition(
      key: "limits.ordersPerAccount", standard: "300", kind: .number(1...1_000_000),
      meaning: "How many orders the CA allows an account in three hours."),
    SettingDefinition(key: "orders.concurrent", standard: "32", kind: .number(1...100), meaning: "How many orders are under way at a time."),
    SettingDefinition(
      key: "orders.pauseMinutes", standard: "10", kind: .number(1...1_440),
      meaning: "How many minutes at least lie between two certificates of a device for the same names, unless an administrator wants one sooner."),
    SettingDefinition(
      key: "renewal.answerMinutes", standard: "10", kind: .number(1...1_440),
      meaning: "How many minutes a connected device has to hand in a new CSR; then the one it gave before is ordered once more."),
    SettingDefinition(
      key: "served.ports", standard: "443", kind: .ports,
      meaning: "The TCP ports of a device's names at which the connector looks whether an installed certificate is in use; none: it does not look."),
    SettingDefinition(
      key: "served.privateAddresses", standard: "false", kind: .flag,
      meaning: "Whether it connects for that to addresses of private networks and of this machine, too."),
    tracing(.app), tracing(.appWebsocket), tracing(.challenge), tracing(.httpClient),
  ]

  /// The setting that says for which devices a category is traced.
  static func tracing(_ category: TraceCategory) -> SettingDefinition {
    let word = category.rawValue.prefix(1).lowercased() + category.rawValue.dropFirst()
    return SettingDefinition(key: "trace.\(word)", standard: "off", kind: .tracing, meaning: category.meaning)
  }

  /// Whether a value of that setting is for no log: the URI of a key in a token may hold the token's PIN (RFC 7512, section 2.3).
  static func mayHoldPIN(_ key: String) -> Bool { key == "authority.accountKey" }

  /// The definition of a key.
  /// - Throws: ``Refusal`` `unknownSetting`.
  static func of(_ key: String) throws(Refusal) -> SettingDefinition {
    guard let definition = all.first(where: { $0.key == key }) else {
      throw Refusal(.unknownSetting, "There is no setting \(key.prefix(100)); `acme-connector settings` lists them.")
    }
    return definition
  }
}

extension TraceCategory {
  fileprivate var meaning: String {
    switch self {
    case .app: "For which devices decisions are traced."
    case .httpClient: "For which devices requests to the CA are traced."
    case .appWebsocket: "For which devices messages are traced."
    case .challenge: "For which devices requests at port 80 are traced."
    }
  }
}
