import PKI
import SchedulerAPI

/// Whether a CSR that comes in is one the connector has already, a new request, or one that is kept until it is due.
///
/// The bytes alone do not tell: an RSA CSR made again from a kept key is the same (signatures of PKCS #1 v1.5 are deterministic).
enum Submission: Hashable {
  case joins(RequestID)
  case isNew
  /// There is no need for a certificate before that moment.
  case isEarly(until: Instant)

  /// An earlier request of the same device and slot with the same CSR.
  struct Earlier: Hashable {
    let id: RequestID
    let phase: RequestPhase
    let certificate: Certificate?
  }

  /// What came of an earlier request.
  struct Certificate: Hashable {
    let validity: Validity
    let dueAt: Instant
    let isRevoked: Bool
    /// The directory of the CA that issued it; nil if the device brought it with it.
    let authority: String?
    /// It is of a CA that is there to try things out.
    var isForTrial = false

    /// Whether it serves, no successor is due, and it is of the CA that is set.
    func serves(authority current: String, at now: Instant) -> Bool { isOf(current) && stands(authority: current, at: now) }

    /// Whether it serves, and no successor is due. One of another CA stays until it is, but for a CA for trials: nobody trusts that.
    func stands(authority current: String, at now: Instant) -> Bool {
      validity.isValid(at: now) && now < dueAt && !isRevoked && (!isForTrial || isOf(current))
    }

    private func isOf(_ current: String) -> Bool { authority.map { DirectoryURL($0) == DirectoryURL(current) } ?? false }
  }

  /// An equal CSR joins while the earlier request is open, or while its certificate is valid, not revoked, not due and from the current
  /// authority. `force` asks for another one all the same; it does not make a second order beside one that is open. Another CSR waits while the device
  /// has a certificate for the same names, which is `standing`, of whatever authority.
  init(earlier: [Earlier], standing: Certificate?, force: Bool, authority: String, now: Instant) {
    let match = earlier.first { request in
      if request.phase.isOpen { return true }
      guard !force, request.phase.isServed, let certificate = request.certificate else { return false }
      return certificate.serves(authority: authority, at: now)
    }
    if let match {
      self = .joins(match.id)
    } else if !force, let standing, standing.stands(authority: authority, at: now) {
      self = .isEarly(until: standing.dueAt)
    } else {
      self = .isNew
    }
  }
}
