public import PKI

/// A device asks where a request of its own stands, for example after it was away.
public struct GetCertificate: Message, Codable {
  /// What the device knows the request by.
  public enum Key: Sendable, Hashable {
    /// Its id.
    case id(ShortText)
    /// The SHA-256 of its CSR in DER.
    case csrHash(Fingerprint)
    /// The newest one of a slot.
    case slot(ShortText)
  }

  /// Which request.
  public var key: Key

  /// The question.
  public init(_ key: Key) {
    self.key = key
  }

  private enum CodingKeys: String, CodingKey { case id, csrHash, slot }

  /// Reads the question; of several keys the most exact one counts.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if let id = try container.decodeIfPresent(ShortText.self, forKey: .id) {
      key = .id(id)
    } else if let csrHash = try container.decodeIfPresent(Fingerprint.self, forKey: .csrHash) {
      key = .csrHash(csrHash)
    } else if let slot = try container.decodeIfPresent(ShortText.self, forKey: .slot) {
      key = .slot(slot)
    } else {
      throw MessageError(.missingProperty, "The message names no request; give its id, its csrHash or its slot.")
    }
  }

  /// Writes the question.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch key {
    case .id(let id): try container.encode(id, forKey: .id)
    case .csrHash(let csrHash): try container.encode(csrHash, forKey: .csrHash)
    case .slot(let slot): try container.encode(slot, forKey: .slot)
    }
  }
}

/// Where the request stands, and with what outcome.
public struct GetCertificateResult: Message, Codable {
  /// What has come of a request so far.
  public enum Outcome: Sendable, Hashable {
    /// A certificate.
    case ready(CertificateReady)
    /// A failure.
    case failed(CertificateFailed)
  }

  /// The id of the request.
  public var id: ShortText
  /// Where it stands.
  public var state: CertificateStage
  /// When it is ordered, while it is not due.
  public var dueAt: Instant?
  /// What has come of it so far; none while it is on its way.
  public var outcome: Outcome?

  /// The answer for a request on its way.
  public init(id: ShortText, state: CertificateStage, dueAt: Instant? = nil, outcome: Outcome? = nil) {
    self.id = id
    self.state = state
    self.dueAt = dueAt
    self.outcome = outcome
  }

  private enum CodingKeys: String, CodingKey { case id, state, dueAt, certificate, error }

  /// Reads the answer; the properties of the outcome stand beside its own.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    id = try container.decode(ShortText.self, forKey: .id)
    state = try container.decode(CertificateStage.self, forKey: .state)
    dueAt = try container.decodeIfPresent(Instant.self, forKey: .dueAt)
    if container.contains(.certificate) {
      outcome = .ready(try CertificateReady(from: decoder))
    } else if container.contains(.error) {
      outcome = .failed(try CertificateFailed(from: decoder))
    }
  }

  /// Writes the answer; the properties of the outcome stand beside its own.
  public func encode(to encoder: any Encoder) throws {
    switch outcome {
    case .ready(let ready): try ready.encode(to: encoder)
    case .failed(let failed): try failed.encode(to: encoder)
    case nil: break
    }
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(state, forKey: .state)
    try container.encodeIfPresent(dueAt, forKey: .dueAt)
  }
}
