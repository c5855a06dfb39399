/// Where a request stands, as devices and administrators see it.
public enum RequestState: String, Codable, Sendable, Hashable, CaseIterable {
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
  /// The CA validates the names.
  case challenging
  /// The CSR is with the CA.
  case finalizing
  /// The certificate is there, and not yet confirmed by the device.
  case ready
  /// The device has confirmed that it has installed the certificate.
  case installed
  /// The last attempt failed.
  case failed
  /// A newer request of the same slot took its place.
  case superseded
  /// The certificate is revoked.
  case revoked
}
