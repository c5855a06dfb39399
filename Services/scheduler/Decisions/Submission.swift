import PKI
import SchedulerAPI

/// Whether a CSR that comes in is one the connector has already, or a new request.
///
/// The bytes alone do not tell: an RSA CSR made again from a kept key is the same (signatures of PKCS #1 v1.5 are deterministic).
enum Submission: Hashable {
  case joins(RequestID)
  case isNew

  /// An earlier request of the same device and slot with the same CSR.
  struct Earlier: Hashable {
    let id: RequestID
    let phase: RequestPhase
    let certificate: Certificate?
  }

  /// What came of an earlier request.
  struct Certificate: Hashable {
    let validity: Validity
    let isRevoked: Bool
    /// The directory of the CA that issued it.
    let authority: String
  }

  /// An equal CSR joins while the earlier request is open, or while its certificate is valid, not revoked, not due and from the current
  /// authority. `force` asks for another one all the same; it does not make a second order beside one that is open.
  init(earlier: [Earlier], force: Bool, authority: String, renewDays: Int, now: Instant) {
    let match = earlier.first { request in
      if request.phase.isOpen { return true }
      guard !force, request.phase.isServed, let certificate = request.certificate else { return false }
      return certificate.validity.isValid(at: now) && !certificate.isRevoked && DirectoryURL(certificate.authority) == DirectoryURL(authority)
        && !certificate.validity.isDue(at: now, renewDays: renewDays)
    }
    self = match.map { .joins($0.id) } ?? .isNew
  }
}
