import PKI

/// What is known of one slot of a device when its alarms are decided.
struct SlotFacts: Hashable {
  /// What the newest request came to.
  enum Outcome: Hashable {
    /// It waits for its turn.
    case underWay
    /// Its order is under way since then.
    case ordering(since: Instant)
    /// It waits since then for an administrator to approve that name.
    case awaitingApproval(DNSName, since: Instant)
    /// It waits for that limit of the CA until then.
    case waiting(for: String, until: Instant)
    case failed(AttemptFailure)
    case served
  }

  /// A certificate that waits for its device's receipt.
  struct Undelivered: Hashable {
    let installAt: Instant
    /// When its device was handed it.
    var deliveredAt: Instant?
    /// From when until when the device was there last.
    var visit: ClosedRange<Instant>?

    /// Since when the device has it and is to use it.
    var hadAt: Instant? { deliveredAt.map { max($0, installAt) } }

    /// Since when, in its last visit, it could have confirmed that it uses it.
    var couldConfirmSince: Instant? {
      guard let hadAt, let visit, visit.upperBound >= hadAt else { return nil }
      return max(hadAt, visit.lowerBound)
    }

    /// It was there long enough to confirm it.
    var couldConfirm: Bool {
      guard let visit, let since = couldConfirmSince else { return false }
      return visit.upperBound - since >= .seconds(600)
    }
  }

  /// What does not go on.
  struct Stall: Hashable {
    let since: Instant
    /// What it waits for, and what to do about it.
    let text: String
    var name: DNSName?
  }

  let names: [DNSName]
  let outcome: Outcome
  /// The certificate in use, or the one to be used if there is none; nil where there is none that anybody trusts.
  var inUse: Validity?
  /// The certificate's successor is due since then, and its device, which is not there, has handed in no CSR.
  var wantedSince: Instant?
  var undelivered: Undelivered?
}

extension SlotFacts.Outcome {
  /// Set where it may never come to an end by itself.
  var stall: SlotFacts.Stall? {
    switch self {
    case .ordering(let since):
      SlotFacts.Stall(
        since: since, text: "is being ordered since \(since) without an end: the journals of acme-client and challenge-http tell what it waits for.")
    case .awaitingApproval(let name, let since):
      SlotFacts.Stall(
        since: since,
        text: "waits since \(since) for \(name), which belongs to another device: `acme-connector names approve \(name)` gives it to this one.",
        name: name)
    case .underWay, .waiting, .failed, .served: nil
    }
  }
}
