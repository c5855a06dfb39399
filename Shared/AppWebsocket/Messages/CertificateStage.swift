/// Where a request stands, as its device sees it: the property `state`.
public enum CertificateStage: String, Codable, Sendable, Hashable, CaseIterable {
  /// The CSR is kept, and ordered when it is due.
  case notDue
  /// Another device holds one of the names; an administrator decides.
  case awaitingApproval
  /// A name cannot be reached yet.
  case waitingForName
  /// It waits for its turn.
  case queued
  /// The order is being made.
  case ordering
  /// The authority validates the names.
  case challenging
  /// The CSR is with the authority.
  case finalizing
  /// The certificate is there.
  case ready
  /// The device has said that it has installed the certificate.
  case installed
  /// The last attempt failed.
  case failed
  /// A newer request for the slot took its place.
  case superseded
  /// The certificate is revoked.
  case revoked
}
