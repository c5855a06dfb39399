public import PKI

/// The device has installed the certificate of a request.
public struct CertificateInstalled: Message, Codable {
  /// The id of the request.
  public var id: ShortText
  /// The certificate that it has installed.
  public var fingerprint: Fingerprint

  /// A receipt.
  public init(id: ShortText, fingerprint: Fingerprint) {
    self.id = id
    self.fingerprint = fingerprint
  }
}

/// The receipt is on disk.
public struct CertificateInstalledResult: Message, Codable {
  /// The answer to a receipt.
  public init() {}
}

/// The device could not install the certificate of a request.
public struct CertificateInstallFailed: Message, Codable {
  /// The id of the request.
  public var id: ShortText
  /// Why not, as a sentence for a person.
  public var errorText: String

  /// A report of the device.
  public init(id: ShortText, errorText: String) {
    self.id = id
    self.errorText = errorText
  }
}

/// The report is on disk.
public struct CertificateInstallFailedResult: Message, Codable {
  /// The answer to a report.
  public init() {}
}
