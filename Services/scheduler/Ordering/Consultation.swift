import ACMEClientAPI
import GRDB
import Logging
import PKI
import SchedulerAPI
import Telemetry
import Varlink

/// When the doctor looks at names by itself.
enum DoctorMode: String, CaseIterable {
  /// Never.
  case off
  /// Beside a first order that has failed or takes its time: what is wrong is told, should it not have succeeded by then.
  case advise
  /// Before a first order, which waits while something is wrong.
  case block
}

/// The doctor's look at the names of a request for which its device never had a certificate: what has worked once is not looked at.
struct Consultation: Sendable {
  private let request: RequestRecord
  private let authority: Authority
  private let fleet: Fleet
  private let client: VarlinkClient
  private let clock: any Clock<Duration>

  /// How long an order is left to itself.
  static let grace = Duration.seconds(2)
  /// How long the doctor may take for all names of a request.
  static let timeLimit = Duration.seconds(90)

  init(before request: RequestRecord, from authority: Authority, fleet: Fleet, client: VarlinkClient, clock: any Clock<Duration>) {
    self.request = request
    self.authority = authority
    self.fleet = fleet
    self.client = client
    self.clock = clock
  }

  /// How the doctor is to look; it does not where an order is taken up, which is paid for.
  var mode: DoctorMode { request.phase == .queued ? fleet.settings.current.doctorMode : .off }

  /// Writes down what is wrong: when the order has failed, or takes long. One that succeeds at once needs no doctor, who would only be in its way.
  /// - Parameter failure: ends when the order has failed.
  func advise(after failure: AsyncStream<Void>) async {
    await withTaskGroup(of: Void.self) { tasks in
      tasks.addTask { for await _ in failure {} }
      tasks.addTask { try? await clock.sleep(for: Self.grace) }
      await tasks.next()
      tasks.cancelAll()
    }
    guard !Task.isCancelled else { return }
    let graves = await findings { $0 > .fine }
    guard !graves.isEmpty, !Task.isCancelled else { return }
    try? await fleet.transact { transaction in
      for (name, found) in Dictionary(grouping: graves, by: \.name).sorted(by: { $0.key < $1.key }).prefix(Self.mostTold) {
        let more = found.count > 1 ? " `acme-connector doctor \(name)` tells \(found.count - 1) more." : ""
        try transaction.recordSparingly(
          Event(.nameDiagnosed, "\(found[0].code): \(found[0].text)\(more)", device: request.device, request: request.id, name: name))
      }
    }
  }

  /// Of more names of one request nothing is written down.
  private static let mostTold = 10

  /// What keeps the request waiting: that of which only our own view is doubtful does not.
  func obstacle() async -> AttemptFailure? {
    guard let worst = await findings(where: { $0 == .wrong }).first else { return nil }
    return AttemptFailure(Problem(.nameNotReady, "\(worst.code): \(worst.text)", name: worst.name))
  }

  /// An acme-client that is restarted is asked again; one that does not answer finds nothing, and the order shows what is wrong with it.
  private func findings(where matters: @escaping @Sendable (Finding.Severity) -> Bool) async -> [Finding] {
    guard let names = try? await fleet.uncertified(request), !names.isEmpty else { return [] }
    let call = fleet.examination(of: names.map { .init(name: $0, device: request.device.rawValue) }, for: authority, beforeOrder: true)
    let retries = RetryPolicy(clock: clock, chance: fleet.chance, logger: fleet.logger)
    let late = VarlinkError(.timedOut, method: ACMEClient.Diagnose.qualifiedName, peer: client.path, detail: "no end within \(Self.timeLimit)")
    let all = try? await within(Self.timeLimit, on: clock, or: late) {
      await retries.persist(in: "Diagnose") {
        let found = Found()
        do {
          let last = try await client.stream(ACMEClient.Diagnose.self, call) { await found.add($0.findings) }
          await found.add(last.findings)
        } catch let error where !RetryPolicy.isTransient(error) && !(error is CancellationError) {
          fleet.logger.notice("the doctor could not look", error: error, metadata: [.request: request.id])
        }
        return await found.all
      }
    }
    return (all ?? nil ?? []).filter { matters($0.severity) }.sorted { $0.severity > $1.severity }
  }

  private actor Found {
    private(set) var all: [Finding] = []
    func add(_ findings: [Finding]) { all += findings }
  }
}

extension Fleet {
  /// The names of a request for which its device never had a certificate.
  func uncertified(_ request: RequestRecord) async throws -> [DNSName] {
    let known = try await store.read { database in
      try String.fetchSet(
        database,
        sql: "SELECT each.value FROM request, json_each(request.names) AS each WHERE device = ? AND request.id IN (SELECT request FROM certificate)",
        arguments: [request.device.rawValue])
    }
    return request.names.filter { !known.contains($0.value) }
  }

  /// What the doctor is asked, as it is set.
  func examination(
    of candidates: [ACMEClient.Candidate], for authority: Authority?, beforeOrder: Bool = false
  ) -> ACMEClient.Diagnose.Parameters {
    .init(candidates: candidates, authority: authority, vantage: settings.current.doctorVantage, beforeOrder: beforeOrder)
  }
}
