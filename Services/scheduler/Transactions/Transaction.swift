import ACMEClientAPI
import GRDB
import Logging
import PKI
import SchedulerAPI
import Telemetry

/// One change of the store: what the rules say is done here, what others are to be told is gathered, and told when it is on disk.
struct Transaction {
  let database: Database
  let settings: Settings
  let now: Instant
  let trace: TraceContext
  let chance: Chance
  let publicSuffixes: PublicSuffixList

  private var changed: [RequestID] = []
  private var stopped: [RequestID] = []
  /// What else devices are told.
  private var told: [Watched.Change] = []
  /// The devices whose alarms may be others now.
  private var concerned: [DeviceID] = []
  /// The queue looks again.
  var hasWork = false
  private var events: [Event] = []
  private var decisions: [Decision] = []
  private var effects: [() -> Void] = []

  init(
    _ database: Database, settings: Settings, now: Instant, trace: TraceContext, chance: Chance, publicSuffixes: PublicSuffixList
  ) {
    self.database = database
    self.settings = settings
    self.now = now
    self.trace = trace
    self.chance = chance
    self.publicSuffixes = publicSuffixes
  }

  /// Lets something happen to a request, and does what follows.
  mutating func handle(_ event: RequestEvent, of request: RequestRecord) throws {
    var request = request
    var machine = request.machine
    let (before, limit) = (machine.phase, request.waitFor)
    let actions = machine.handle(event, at: now)
    guard machine.phase != before else { return }
    explain("\(event.word): the request was \(before.word) and is \(machine.phase.word)", of: request)
    request.keep(machine, at: now)
    try request.update(database)
    if before == .ready {
      try database.execute(sql: "UPDATE certificate SET announceAt = NULL WHERE request = ?", arguments: [request.id.rawValue])
    }
    note(request)
    if let limit { try callNext(for: limit) }
    for action in actions { try perform(action, for: request) }
  }

  /// A device is asked for a CSR.
  mutating func wish(_ wish: RenewalWish, from device: DeviceID) {
    told.append(Watched.Change(device: device, renewal: wish))
  }

  /// A device is told of an alarm of its own; nobody is told here of the connector's.
  mutating func tell(_ alarm: AlarmRecord, isOver: Bool = false) {
    guard let device = alarm.device else { return }
    let news = DeviceAlarm(code: alarm.code, severity: alarm.severity, text: alarm.text, name: alarm.name, over: isOver)
    told.append(Watched.Change(device: device, alarm: news))
    if alarm.tellAt != nil { hasWork = true }
  }

  /// The request has changed: whoever watches is told, and the queue looks again.
  mutating func note(_ request: RequestRecord) {
    announce(request)
    switch request.phase {
    case .queued, .notDue: hasWork = true
    default: if request.isHeldByClient { hasWork = true }
    }
  }

  /// Whoever watches is told where the request stands.
  mutating func announce(_ request: RequestRecord) {
    if !changed.contains(request.id) { changed.append(request.id) }
    reconsider(request.device)
  }

  /// The device's alarms may be others now.
  mutating func reconsider(_ device: DeviceID) {
    if !concerned.contains(device) { concerned.append(device) }
  }

  /// These requests have become another device's, which has never heard of them.
  mutating func keepQuiet(about requests: [RequestID]) {
    changed.removeAll(where: requests.contains)
  }

  private mutating func perform(_ action: RequestAction, for request: RequestRecord) throws {
    switch action {
    case .order, .deliver:
      // Both follow from the new phase being told.
      hasWork = true
    case .stopOrder:
      stopped.append(request.id)
    case .dropClaims:
      try ClaimRecord.drop(of: request.id, from: database)
    case .supersedeUndelivered:
      try supersede(olderThan: request) { $0 != .installed }
    case .supersedeOlder:
      try supersede(olderThan: request) { _ in true }
    }
  }

  /// Older requests of the slot make room.
  mutating func supersede(olderThan request: RequestRecord, where matches: (RequestPhase) -> Bool) throws {
    for older in try RequestRecord.current(of: request.device, slot: request.slot, from: database)
    where older.id != request.id && (older.number ?? 0) < (request.number ?? .max) && matches(older.phase) {
      try handle(.superseded, of: older)
      try recordSparingly(
        Event(
          .requestSuperseded, "The request \(older.id) of slot \(older.slot) gave way to \(request.id).", device: older.device, request: older.id))
    }
    try RequestRecord.deleteSuperseded(of: request.device, keeping: Self.keptSuperseded, from: database)
  }

  /// How many superseded requests of one device are kept as history.
  private static let keptSuperseded = 100

  /// Writes an event down.
  mutating func record(_ event: Event) throws {
    let record = try EventRecord(event, at: now, trace: trace).inserted(database)
    events.append(event)
    // Old ones are forgotten now and then, not each time.
    if let id = record.id, id % 256 == 0 { try EventRecord.prune(before: now - settings.eventRetention, in: database) }
  }

  /// Writes down what a device can bring about at will: not the same twice within an hour, and only so many of one kind, or one device that
  /// misbehaves would crowd out what all others did.
  mutating func recordSparingly(_ event: Event) throws {
    let since = now - .seconds(3_600)
    guard try !EventRecord.hasRecent(event, since: since, in: database) else { return }
    let recent = try EventRecord.countRecent(event, since: since, in: database)
    guard recent < Self.mostInAnHour else { return }
    var event = event
    if recent == Self.mostInAnHour - 1 { event.text += " More of this kind within the hour are not written down." }
    try record(event)
  }

  /// The most events of one kind that one device brings about in an hour.
  private static let mostInAnHour = 30

  /// Has something done when the transaction is on disk, before anybody is told.
  mutating func afterwards(_ effect: @escaping () -> Void) {
    effects.append(effect)
  }

  /// What was decided, and why, for those who trace.
  struct Decision: Sendable {
    let text: String
    let device: DeviceID
    let request: RequestID
  }

  /// Keeps a decision for the trace `App`, if that is on for the device.
  mutating func explain(_ text: @autoclosure () -> String, of request: RequestRecord) {
    guard settings.traces(.app, of: request.device) else { return }
    decisions.append(Decision(text: text(), device: request.device, request: request.id))
  }

  /// Ends what is written.
  /// - Returns: what tells everybody; it is to be done when the transaction is on disk, in the order of the transactions.
  mutating func finish(watched: Watched, board: OrderBoard, logger: Logger) throws -> () -> Void {
    for device in concerned { try reviewAlarms(of: device) }
    var changes: [Watched.Change] = []
    for id in changed {
      guard let request = try RequestRecord.fetch(id, from: database), try !isHeldBack(request) else { continue }
      let view = try RequestView(
        request, certificate: CertificateRecord.of(id, from: database), progress: board.progress(of: id),
        outage: AuthorityRecord.outage(holding: request, by: settings, from: database), now: now)
      changes.append(Watched.Change(device: request.device, request: view))
    }
    return { [changes, stopped, told, hasWork, events, decisions, effects, trace] in
      for effect in effects { effect() }
      TraceContext.$current.withValue(trace) {
        for decision in decisions {
          logger.trace(.app, isOn: true, "\(decision.text)", metadata: [.device: decision.device, .request: decision.request])
        }
        for event in events { event.log(to: logger) }
      }
      for change in changes + told { watched.changes.publish(change) }
      for request in stopped { board.stop(request) }
      if !events.isEmpty { watched.events.publish(()) }
      if hasWork { board.wake() }
    }
  }
}

extension RequestEvent {
  /// Its name alone.
  fileprivate var word: Substring { "\(self)".prefix { $0 != "(" } }
}

extension RequestPhase {
  /// Where it is, in the words of the administrator, with the time of the next try.
  fileprivate var word: String {
    let state = RequestState(self, progress: nil).rawValue
    if case .waitingForName(let failure, _) = self { return "\(state) (\(failure.text))" }
    guard case .failed(let failure, let again) = self else { return state }
    return "\(state) (\(failure.error.rawValue)), \(again.map { "tried again at \($0)" } ?? "not tried again")"
  }
}
