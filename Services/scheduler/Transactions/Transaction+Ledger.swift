import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI

// What orders cost of the CA's limits. It is spent before an order is made: a process that dies overstates what it has spent.
extension Transaction {
  /// Spends what an order costs.
  /// - Returns: whether it can be made now; else the request waits for its turn, or until the CA can be used again.
  mutating func spend(for request: inout RequestRecord, from authority: Authority) throws -> Bool {
    guard let limits = settings.limits else { return try mayOrder(from: authority.directory) }
    let charges = Ledger.charges(request.names, try exemption(of: request, at: authority), suffixes: publicSuffixes)
    let failures = request.names.map(LedgerAccount.failures)
    var ledger = try LedgerRecord.ledger(charges + failures, of: authority.book, by: limits, at: now, from: database)
    let emergency = try emergency(of: request)
    let isEmergency = emergency <= now
    let ahead = try RequestRecord.countWaiting(
      for: charges + failures, before: request.urgency, onlyEmergencies: isEmergency, at: now, from: database)
    if let wait = ledger.wait(for: charges, names: request.names, isEmergency: isEmergency, at: now, ahead: ahead) {
      request.wait(until: isEmergency ? wait.until : min(wait.until, emergency), for: wait.account)
      try request.update(database)
      note(request)
      return false
    }
    guard try mayOrder(from: authority.directory) else { return false }
    ledger.spend(charges, at: now)
    try LedgerRecord.keep(ledger.only(charges), of: authority.book, in: database)
    request.charges = charges
    return true
  }

  /// An order has failed: what counts only for certificates is given back, a failed validation is charged, and what the CA says of its limits counts.
  /// - Parameter isOrderMade: the CA had an order, which counts whatever came of it.
  mutating func settle(_ request: RequestRecord, _ failure: AttemptFailure, isOrderMade: Bool = true) throws {
    guard let limits = settings.limits, let book = request.orderedFrom?.book else { return }
    let charges = request.charges ?? []
    let blamed = failure.isFailedValidation ? request.names.filter { name in failure.blames(name) } : []
    let limited = failure.limit(of: request.names)
    var ledger = try LedgerRecord.ledger(
      charges + blamed.map(LedgerAccount.failures) + (limited.map { [$0] } ?? []), of: book, by: limits, at: now, from: database)
    ledger.giveBack(charges, isOrderMade: isOrderMade)
    ledger.spend(blamed.map(LedgerAccount.failures), at: now)
    if let limited { ledger.holdBack(limited, until: now + .seconds(failure.retryAfter ?? 3_600), at: now) }
    try LedgerRecord.keep(ledger, of: book, in: database)
    for account in charges { try callNext(for: account) }
  }

  /// Who waits for a limit has been ordered, or is gone, or something was given back: whoever is next waits no longer than until the limit has room. So
  /// nothing of it is lost, though those behind him are told nothing new before their turn.
  mutating func callNext(for account: LedgerAccount) throws {
    guard let limits = settings.limits, let book = settings.authority?.book, var next = try RequestRecord.next(for: account, from: database),
      let told = next.waitUntil
    else { return }
    let room = try LedgerRecord.ledger([account], of: book, by: limits, at: now, from: database)
      .roomAt(account, isEmergency: emergency(of: next) <= now, at: now)
    guard room < told else { return }
    next.wait(until: max(room, now), for: account)
    try next.update(database)
    note(next)
  }

  /// A certificate is as good as over: the CSR that is to replace it comes before all others.
  mutating func hurry(_ renewal: RenewalRecord) throws {
    guard var next = try RequestRecord.newest(of: renewal.device, slot: renewal.slot, from: database), next.id != renewal.request,
      next.phase == .queued
    else { return }
    next.neededBy = now
    next.endWait()
    try next.update(database)
    note(next)
  }

  /// A CSR that waits only because its names had a certificate a moment ago need not, where another one is wanted now.
  mutating func endPause(of renewal: RenewalRecord) throws {
    guard var next = try RequestRecord.newest(of: renewal.device, slot: renewal.slot, from: database), next.id != renewal.request,
      next.phase == .queued, next.waitFor == nil, next.waitUntil != nil
    else { return }
    next.endWait()
    try next.update(database)
    note(next)
  }

  /// An attempt has cost more orders than one, or its order was made without the exemption that was counted on.
  /// - Parameter newOrders: how many newOrder requests all attempts have cost.
  mutating func settle(_ request: RequestRecord, newOrders: Int, replacesRefused: Bool) throws {
    guard let limits = settings.limits, let authority = request.orderedFrom else { return }
    var charges: [LedgerAccount] = []
    if replacesRefused, request.charges == [] {
      let exemption = try exemption(of: request, at: authority)
      charges = Ledger.charges(request.names, exemption == .renewalInWindow ? .renewal : exemption, suffixes: publicSuffixes)
    }
    if request.charges?.contains(.orders) == true {
      // This attempt was charged for one, and those before it for all that was known of, or one each.
      let earlier = max(request.newOrders, try AttemptRecord.of(request.id, from: database).count - 1)
      let further = newOrders - earlier - 1
      charges += Array(repeating: .orders, count: min(max(0, further), 10))
    }
    guard !charges.isEmpty else { return }
    var ledger = try LedgerRecord.ledger(charges, of: authority.book, by: limits, at: now, from: database)
    ledger.spend(charges, at: now)
    try LedgerRecord.keep(ledger, of: authority.book, in: database)
  }

  /// An administrator insists that the request waits for no limit: if the CA keeps to it, its answer says so.
  mutating func endWait(of request: RequestRecord) throws {
    if let limits = settings.limits, let authority = settings.authority {
      let charges = Ledger.charges(request.names, try exemption(of: request, at: authority), suffixes: publicSuffixes)
      let accounts = charges + request.names.map(LedgerAccount.failures)
      let before = try LedgerRecord.ledger(accounts, of: authority.book, by: limits, at: now, from: database)
      var ledger = before
      ledger.makeRoom(at: now)
      try LedgerRecord.keep(ledger.only(accounts.filter { ledger.buckets[$0] != before.buckets[$0] }), of: authority.book, in: database)
    }
    var request = request
    request.endWait()
    try request.update(database)
    note(request)
  }

  /// Who waits has been told so by the limits of then. If these are others by now, or another CA's, all are looked at anew.
  mutating func endWaitsForOtherLimits() throws {
    let limits = settings.limits.map { limits in settings.authority.map { "\($0.book) \(limits.text)" } ?? "" } ?? ""
    let number = Int64(Fingerprint(of: Array(limits.utf8)).hex.prefix(15), radix: 16) ?? 0
    guard try Mark.limits.number(in: database) != number else { return }
    try Mark.limits.write(number, to: database)
    try database.execute(sql: "UPDATE request SET waitUntil = NULL, waitFor = NULL WHERE waitUntil IS NOT NULL AND waitFor IS NOT NULL")
    hasWork = true
  }

  /// What the order counts for at the CA.
  func exemption(of request: RequestRecord, at authority: Authority) throws -> LedgerExemption {
    guard let served = try RequestRecord.served(of: request.device, slot: request.slot, from: database), served.id != request.id else { return .none }
    return try exemption(of: request.names, replacing: served, at: authority)
  }

  /// What an order for these names counts for, if it takes the place of the certificate that `served` led to.
  func exemption(of names: [DNSName], replacing served: RequestRecord, at authority: Authority) throws -> LedgerExemption {
    guard let certificate = try CertificateRecord.of(served.id, from: database),
      DirectoryURL(certificate.authority) == DirectoryURL(authority.directory)
    else { return .none }
    if let window = try RenewalRecord.of(served.id, from: database)?.schedule.window, window.start <= now, now < window.end,
      !Set(served.names).isDisjoint(with: names)
    {
      return .renewalInWindow
    }
    return Set(served.names) == Set(names) ? .renewal : .none
  }

  /// From when on the request may spend what is kept for emergencies: its device has a certificate, and not for long, or somebody insists.
  func emergency(of request: RequestRecord) throws -> Instant {
    if request.isForced { return .earliest }
    if try RenewalRecord.of(request.device, slot: request.slot, from: database).first?.isEmergency == true { return .earliest }
    return try validityInUse(before: request).map(\.emergencyFrom) ?? .latest
  }
}

extension Authority {
  /// Under which the CA counts: itself, and our account there.
  var book: String { [DirectoryURL(directory).key, accountKey].compactMap(\.self).joined(separator: " ") }
}

extension AttemptFailure {
  /// The limit that the CA says is reached; nil where it speaks of none.
  fileprivate func limit(of names: [DNSName]) -> LedgerAccount? {
    error == .rateLimited ? LedgerAccount(explanation: explanation, names: names) : nil
  }

  /// The failure with no longer a wait than the limit takes that the CA speaks of: a mistaken figure makes no year of three hours.
  func bounded(by limits: AuthorityLimits, for names: [DNSName]) -> AttemptFailure {
    guard let limit = limit(of: names), let asked = retryAfter else { return self }
    var bounded = self
    bounded.retryAfter = min(asked, Int(limits.of(limit).period.components.seconds))
    return bounded
  }

  /// The CA tried to validate, and could not: it counts that.
  fileprivate var isFailedValidation: Bool {
    [.nameUnreachable, .challengeFailed, .caaForbids].contains(error)
  }

  fileprivate func blames(_ name: DNSName) -> Bool { self.name == name || (names ?? []).contains { $0.name == name } }
}
