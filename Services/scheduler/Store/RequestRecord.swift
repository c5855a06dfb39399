import ACMEClientAPI
import FoundationEssentials
import GRDB
import PKI
import SchedulerAPI
import Telemetry

/// A request as it is kept.
struct RequestRecord: Codable, FetchableRecord, MutablePersistableRecord, Sendable {
  static let databaseTableName = "request"

  /// Later ones are higher.
  private(set) var number: Int64?
  let id: RequestID
  let device: DeviceID
  let slot: String
  /// The DER.
  let csr: Data
  let csrHash: Fingerprint
  let keyPin: SubjectPublicKeyPin
  let names: [DNSName]
  let isForced: Bool
  let replaces: Fingerprint?
  /// The directory of the CA that it is ordered from.
  private(set) var authority: String
  /// The CA of the order that is under way: an order ends where it began, whatever is set meanwhile.
  private(set) var orderedFrom: Authority?
  private var state: Column
  private var awaitedName: DNSName?
  private var failure: AttemptFailure?
  private var failures: Int
  private var outages: Int
  private var nextAttempt: Instant?
  private var dueAt: Instant?
  /// What its order was charged to; kept while that is under way.
  var charges: [LedgerAccount]?
  /// When it is too late: until then there is a certificate, or none should be missing for longer.
  var neededBy: Instant?
  /// In the queue: it waits until then, for a limit of the CA, or if there is none because its names had a certificate a moment ago.
  private(set) var waitUntil: Instant?
  private(set) var waitFor: LedgerAccount?
  /// How many newOrder requests it has cost.
  var newOrders: Int
  /// acme-client may keep something under its id, until it is told to release it.
  var isHeldByClient: Bool
  /// What the device's call was part of; all later work on the request is.
  let trace: TraceContext
  let requestedAt: Instant
  private(set) var changedAt: Instant

  /// The phases as they are called in the table.
  private enum Column: String, Codable {
    case notDue, awaitingApproval, queued, waitingForName, ordering, failed, ready, installed, superseded
  }

  /// A request that has come in.
  init(
    id: RequestID, device: DeviceID, slot: String, csr: SigningRequest, isForced: Bool, replaces: Fingerprint?, authority: String,
    machine: RequestMachine, trace: TraceContext, now: Instant
  ) {
    self.id = id
    self.device = device
    self.slot = slot
    self.csr = Data(csr.der)
    self.csrHash = csr.hash
    self.keyPin = csr.keyPin
    self.names = csr.names
    self.isForced = isForced
    self.replaces = replaces
    self.authority = authority
    self.state = .queued
    self.failures = 0
    self.outages = 0
    self.newOrders = 0
    self.isHeldByClient = false
    self.trace = trace
    self.requestedAt = now
    self.changedAt = now
    keep(machine, at: now)
  }

  mutating func didInsert(_ inserted: InsertionSuccess) {
    number = inserted.rowID
  }

  /// The machine in the phase that is kept.
  var machine: RequestMachine { RequestMachine(phase: phase, failures: failures, outages: outages) }

  var phase: RequestPhase {
    switch (state, awaitedName, failure) {
    case (.awaitingApproval, let name?, _): .awaitingApproval(name)
    case (.failed, _, let failure?): .failed(failure, again: nextAttempt)
    case (.waitingForName, _, let failure?): .waitingForName(failure, again: nextAttempt ?? changedAt)
    case (.notDue, _, _): .notDue(until: dueAt ?? requestedAt)
    case (.ordering, _, _): .ordering
    case (.ready, _, _): .ready
    case (.installed, _, _): .installed
    case (.superseded, _, _): .superseded
    // A row without what its state needs has been written by no version: the request goes back to the queue.
    case (.queued, _, _), (.awaitingApproval, _, _), (.waitingForName, _, _), (.failed, _, _): .queued
    }
  }

  /// Its place in the queue.
  var urgency: Urgency { Urgency(neededBy: neededBy ?? requestedAt, number: number ?? .max) }

  /// It is ordered from there now.
  mutating func order(from authority: Authority) {
    self.authority = authority.directory
    orderedFrom = authority
    isHeldByClient = true
  }

  /// It waits for a limit of the CA.
  mutating func wait(until moment: Instant, for limit: LedgerAccount) {
    (waitUntil, waitFor) = (moment, limit)
  }

  /// It waits for the pause between two certificates for the same names to be over.
  mutating func rest(until moment: Instant) {
    (waitUntil, waitFor) = (moment, nil)
  }

  /// What it waits for, in the words of a sentence.
  var waitReason: String? { waitFor?.description ?? waitUntil.map { _ in "the pause between two certificates for the same names" } }

  /// It does not wait any more.
  mutating func endWait() {
    (waitUntil, waitFor) = (nil, nil)
  }

  /// Keeps the machine's phase.
  mutating func keep(_ machine: RequestMachine, at now: Instant) {
    (awaitedName, failure, nextAttempt, dueAt) = (nil, nil, nil, nil)
    endWait()
    switch machine.phase {
    case .awaitingApproval(let name): (state, awaitedName) = (.awaitingApproval, name)
    case .notDue(let moment): (state, dueAt) = (.notDue, moment)
    case .queued: state = .queued
    case .ordering: state = .ordering
    case .waitingForName(let failure, let again): (state, self.failure, nextAttempt) = (.waitingForName, failure, again)
    case .failed(let failure, let again): (state, self.failure, nextAttempt) = (.failed, failure, again)
    case .ready: state = .ready
    case .installed: state = .installed
    case .superseded: state = .superseded
    }
    if machine.phase != .ordering { (orderedFrom, charges) = (nil, nil) }
    failures = machine.failures
    outages = machine.outages
    changedAt = now
  }
}
