public import PKI
public import Telemetry

/// A request as its device sees it.
public struct RequestView: Codable, Sendable, Hashable {
  /// Its id.
  public var id: RequestID
  /// Which of the device's certificates it is for.
  public var slot: String
  /// Where it stands.
  public var state: RequestState
  /// When it is ordered, while it is not due.
  public var dueAt: Instant?
  /// The name that the state is about.
  public var name: DNSName?
  /// The certificate, once there is one.
  public var certificate: DeliveredCertificate?
  /// Why there is none.
  public var failure: RequestFailure?
  /// The story that the request belongs to: that of the message that made it.
  public var trace: TraceContext?

  /// A request in a state.
  public init(
    id: RequestID, slot: String, state: RequestState, dueAt: Instant? = nil, name: DNSName? = nil, certificate: DeliveredCertificate? = nil,
    failure: RequestFailure? = nil, trace: TraceContext? = nil
  ) {
    self.id = id
    self.slot = slot
    self.state = state
    self.dueAt = dueAt
    self.name = name
    self.certificate = certificate
    self.failure = failure
    self.trace = trace
  }
}

/// A certificate as it is handed to its device.
public struct DeliveredCertificate: Codable, Sendable, Hashable {
  /// PEM, leaf first, no root.
  public var chain: String
  /// SHA-256 of the leaf.
  public var fingerprint: Fingerprint
  /// From when it is valid.
  public var notBefore: Instant
  /// Until when it is valid.
  public var notAfter: Instant
  /// When the device shall take it into use.
  public var installAt: Instant

  /// A certificate for its device.
  public init(chain: String, fingerprint: Fingerprint, notBefore: Instant, notAfter: Instant, installAt: Instant) {
    self.chain = chain
    self.fingerprint = fingerprint
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.installAt = installAt
  }
}

/// Why an attempt failed, in the words of the device protocol.
public struct RequestFailure: Codable, Sendable, Hashable {
  /// A word of the device protocol.
  public var error: String
  /// One sentence: who, which name, the cause, the next step.
  public var text: String
  /// The name it concerns.
  public var name: DNSName?
  /// The type of the CA's problem document.
  public var acmeType: String?
  /// Seconds until the connector tries the same CSR again, where that is known.
  public var retryAfter: Int?
  /// The connector does not try this CSR again.
  public var final: Bool

  /// Why an attempt failed.
  public init(error: String, text: String, name: DNSName? = nil, acmeType: String? = nil, retryAfter: Int? = nil, final: Bool) {
    self.error = error
    self.text = text
    self.name = name
    self.acmeType = acmeType
    self.retryAfter = retryAfter
    self.final = final
  }
}
