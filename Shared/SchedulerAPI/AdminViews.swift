public import PKI
public import Telemetry

/// A device as an administrator sees it.
public struct DeviceView: Codable, Sendable, Hashable {
  /// The connector's id.
  public var id: DeviceID
  /// The scope of its login.
  public var scope: String
  /// What it is known by inside that scope: hardware id, sip or guid.
  public var key: String
  /// What its users call it.
  public var name: String?
  /// GW, VA, PHONE, DECT, APP_PLATFORM, LINUX or OTHER.
  public var kind: String?
  /// Its product name.
  public var product: String?
  /// Its version.
  public var version: String?
  /// `pbx`, `reverseProxy`.
  public var roles: [String]
  /// Where it last came from.
  public var address: String?
  /// When it first came.
  public var firstSeen: Instant
  /// When it was last connected, as far as is known: to a quarter of an hour while it stays.
  public var lastSeen: Instant
  /// The names it holds; of very many, the first ones in the order of the alphabet.
  public var names: [DNSName]
  /// How many it holds.
  public var nameCount: Int
  /// Since when the connector does nothing for it any more.
  public var retiredAt: Instant?

  /// A device.
  public init(
    id: DeviceID, scope: String, key: String, name: String? = nil, kind: String? = nil, product: String? = nil, version: String? = nil,
    roles: [String], address: String? = nil, firstSeen: Instant, lastSeen: Instant, names: [DNSName], nameCount: Int,
    retiredAt: Instant? = nil
  ) {
    self.id = id
    self.scope = scope
    self.key = key
    self.name = name
    self.kind = kind
    self.product = product
    self.version = version
    self.roles = roles
    self.address = address
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
    self.names = names
    self.nameCount = nameCount
    self.retiredAt = retiredAt
  }
}

/// A name, and who holds it.
public struct NameView: Codable, Sendable, Hashable {
  /// The name.
  public var name: DNSName
  /// The device that holds it.
  public var device: DeviceID
  /// Since when.
  public var since: Instant
  /// Who waits for it; of very many, those who wait longest.
  public var claims: [NameClaim]

  /// A name.
  public init(name: DNSName, device: DeviceID, since: Instant, claims: [NameClaim]) {
    self.name = name
    self.device = device
    self.since = since
    self.claims = claims
  }
}

/// A device that waits for a name.
public struct NameClaim: Codable, Sendable, Hashable {
  /// The device.
  public var device: DeviceID
  /// Its request.
  public var request: RequestID
  /// Since when.
  public var since: Instant

  /// A claim on a name.
  public init(device: DeviceID, request: RequestID, since: Instant) {
    self.device = device
    self.request = request
    self.since = since
  }
}

/// A request and, where there is one, its certificate.
public struct CertificateView: Codable, Sendable, Hashable {
  /// The request's number; later ones are higher.
  public var number: Int
  /// The request's id.
  public var request: RequestID
  /// Whose it is.
  public var device: DeviceID
  /// Which of the device's certificates.
  public var slot: String
  /// The names of the CSR.
  public var names: [DNSName]
  /// Where it stands.
  public var state: RequestState
  /// SHA-256 of the leaf.
  public var fingerprint: Fingerprint?
  /// The serial number, lowercase hex.
  public var serial: String?
  /// The issuer's common name.
  public var issuer: String?
  /// From when it is valid.
  public var notBefore: Instant?
  /// Until when it is valid.
  public var notAfter: Instant?
  /// When the request is ordered, while that is not due, or when the certificate's successor is.
  public var dueAt: Instant?
  /// When an order of the CA began last.
  public var orderedAt: Instant?
  /// When the certificate came.
  public var issuedAt: Instant?
  /// When its device was handed it.
  public var deliveredAt: Instant?
  /// When its device had installed it.
  public var installedAt: Instant?
  /// When it was seen in use.
  public var servedAt: Instant?
  /// When the device asked.
  public var requestedAt: Instant
  /// When the state last changed.
  public var changedAt: Instant
  /// How many newOrder requests it has cost.
  public var newOrders: Int
  /// Why the last attempt failed: a word of the device protocol.
  public var error: String?
  /// The same, as a sentence.
  public var text: String?

  /// A request.
  public init(
    number: Int, request: RequestID, device: DeviceID, slot: String, names: [DNSName], state: RequestState, fingerprint: Fingerprint? = nil,
    serial: String? = nil, issuer: String? = nil, notBefore: Instant? = nil, notAfter: Instant? = nil, dueAt: Instant? = nil,
    orderedAt: Instant? = nil,
    issuedAt: Instant? = nil, deliveredAt: Instant? = nil, installedAt: Instant? = nil, servedAt: Instant? = nil, requestedAt: Instant,
    changedAt: Instant, newOrders: Int, error: String? = nil, text: String? = nil
  ) {
    self.number = number
    self.request = request
    self.device = device
    self.slot = slot
    self.names = names
    self.state = state
    self.fingerprint = fingerprint
    self.serial = serial
    self.issuer = issuer
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.dueAt = dueAt
    self.orderedAt = orderedAt
    self.issuedAt = issuedAt
    self.deliveredAt = deliveredAt
    self.installedAt = installedAt
    self.servedAt = servedAt
    self.requestedAt = requestedAt
    self.changedAt = changedAt
    self.newOrders = newOrders
    self.error = error
    self.text = text
  }
}

/// How much an event matters.
public enum EventSeverity: String, Codable, Sendable, Hashable, CaseIterable {
  /// Good to know.
  case information
  /// Somebody should look.
  case warning
  /// Something failed.
  case error
}

/// Something that happened and that an administrator should be able to read up.
public struct EventView: Codable, Sendable, Hashable {
  /// Its number; later ones are higher.
  public var id: Int
  /// When.
  public var at: Instant
  /// How much it matters.
  public var severity: EventSeverity
  /// A stable word for what happened.
  public var code: String
  /// One sentence.
  public var text: String
  /// The device.
  public var device: DeviceID?
  /// The request.
  public var request: RequestID?
  /// The name.
  public var name: DNSName?
  /// Where to find the story in the journal.
  public var trace: TraceContext?

  /// An event.
  public init(
    id: Int, at: Instant, severity: EventSeverity, code: String, text: String, device: DeviceID? = nil, request: RequestID? = nil,
    name: DNSName? = nil, trace: TraceContext? = nil
  ) {
    self.id = id
    self.at = at
    self.severity = severity
    self.code = code
    self.text = text
    self.device = device
    self.request = request
    self.name = name
    self.trace = trace
  }
}

/// Why no certificate can be obtained from the CA.
public struct AuthorityOutage: Codable, Sendable, Hashable {
  /// A word of the device protocol.
  public var error: String
  /// What an order was told, in one sentence.
  public var text: String
  /// Since when.
  public var since: Instant
  /// When the next order is made; all others wait for what comes of it.
  public var retryAt: Instant

  /// An outage.
  public init(error: String, text: String, since: Instant, retryAt: Instant) {
    self.error = error
    self.text = text
    self.since = since
    self.retryAt = retryAt
  }
}

/// How many requests are in a state.
public struct StateCount: Codable, Sendable, Hashable {
  /// The state.
  public var state: RequestState
  /// How many.
  public var count: Int

  /// How many requests are in a state.
  public init(state: RequestState, count: Int) {
    self.state = state
    self.count = count
  }
}
