import FoundationEssentials
import GRDB
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("A database of an older version")
struct MigrationTests {
  @Test("loses nothing, and what is in it goes on: schedules, alarms, campaigns, and what waits", arguments: 1..<Schema.version)
  func kept(version: Int) async throws {
    try await onBench { bench in
      let now = bench.clock.wallClock.now()
      let old = try OldDatabase(at: now, chain: bench.client.state.withLock(\.authority))
      let file = bench.folder.appending(component: "scheduler.sqlite")
      let written = try old.write(to: file, version: version)
      #expect(Set(written.map(\.table)).count == (version < 3 ? 9 : version < 4 ? 13 : version < 5 ? 15 : 16))

      let fleet = try bench.fleet()
      for row in written {
        let found = try await fleet.store.read { database in
          try GRDB.Row.fetchOne(database, sql: "SELECT * FROM \(row.table) WHERE \(row.key) = ?", arguments: [row.id]).map { Array($0) }
        }
        let kept = Dictionary(try #require(found, "\(row.table)"), uniquingKeysWith: { first, _ in first })
        for (column, value) in row.values where !row.isReckonedAnew(column, from: version) {
          #expect(kept[column] == value, "\(row.table).\(column)")
        }
      }

      try await fleet.sweep()
      try await bench.working(fleet) {
        try await bench.settle(fleet)
        let served = try #require(try await fleet.certificates(of: nil, all: true).first { $0.request == RequestID(rawValue: "served") })
        #expect(served.state == .installed && served.dueAt == old.end - .days(30))
        _ = try await fleet.request(RequestID(rawValue: "waiting"), of: DeviceID(rawValue: "other"), in: .ready)
        let names = try await fleet.names()
        #expect(names.first { $0.name == dns("held.example.net") }?.claims.map(\.request.rawValue) == ["claiming"])
        #expect(try await fleet.events(after: 0, limit: 10, of: nil).first?.text == "It was issued.")
        #expect(bench.client.state.withLock { !$0.inquiries.isEmpty })
        guard version >= 3 else { return }
        #expect(try await fleet.alarms(of: nil).map(\.code).contains(.clockWrong))
        guard version >= 4 else { return }
        #expect(try await fleet.campaigns().map(\.total) == [7])
      }
    }
  }
}

/// What a scheduler may have left behind: something in each table, as far as its version had it.
private struct OldDatabase {
  struct Row {
    let table: String
    /// The column that tells the row from others.
    let key: String
    var values: [String: DatabaseValue]

    var id: DatabaseValue { values[key] ?? .null }

    /// What a newer version reckons by itself.
    func isReckonedAnew(_ column: String, from version: Int) -> Bool {
      ["waitUntil", "waitFor"].contains(column) || column == "deliveredAt" && version < 5
    }
  }

  /// Of the certificate.
  let end: Instant
  private let rows: [Row]

  init(at now: Instant, chain authority: TestAuthority) throws {
    let issued = now - .days(1)
    end = issued + .days(90)
    func row(_ table: String, _ key: String, _ values: [String: (any DatabaseValueConvertible)?]) -> Row {
      Row(table: table, key: key, values: values.mapValues { $0?.databaseValue ?? .null })
    }
    func request(_ id: String, of device: String, _ name: String, _ state: String, _ more: [String: (any DatabaseValueConvertible)?]) throws -> Row {
      let csr = try makeCSR(name)
      let values: [String: (any DatabaseValueConvertible)?] = [
        "id": id, "device": device, "slot": "default", "csr": Data(csr.der), "csrHash": csr.hash.hex, "keyPin": csr.keyPin.hex,
        "names": #"["\#(name)"]"#, "isForced": 0, "authority": "https://acme.test/directory", "state": state, "failures": 0, "newOrders": 1,
        "isHeldByClient": 0, "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "requestedAt": issued.milliseconds,
        "changedAt": issued.milliseconds,
      ]
      return row("request", "id", values.merging(more) { $1 })
    }
    func device(_ id: String) -> Row {
      row(
        "device", "id",
        ["id": id, "scope": "instance", "key": id, "isKnown": 1, "firstSeen": issued.milliseconds, "lastSeen": now.milliseconds, "clockOffset": 5])
    }
    let chain = try authority.chain(for: makeCSR("served.example.net"), from: issued, days: 90)
    let leaf = try CertificateChain(pem: chain).leaf
    rows = [
      device("one"), device("other"),
      try request("served", of: "one", "served.example.net", "installed", [:]),
      try request("claiming", of: "one", "held.example.net", "awaitingApproval", ["awaitedName": "held.example.net", "slot": "web"]),
      try request(
        "waiting", of: "other", "held.example.net", "queued",
        ["neededBy": now.milliseconds, "waitUntil": (now + .days(3)).milliseconds, "waitFor": "the CA's limit on orders of an account"]),
      row("name", "name", ["name": "held.example.net", "device": "other", "since": issued.milliseconds]),
      row("claim", "name", ["name": "held.example.net", "request": "claiming", "device": "one", "since": issued.milliseconds]),
      row(
        "certificate", "request",
        [
          "request": "served", "chain": chain, "fingerprint": leaf.fingerprint.hex, "serial": leaf.serial, "issuer": "Test Issuer",
          "authority": "https://acme.test/directory", "notBefore": issued.milliseconds, "notAfter": end.milliseconds,
          "installAt": issued.milliseconds, "issuedAt": issued.milliseconds, "installedAt": now.milliseconds, "deliveredAt": now.milliseconds,
          "servedAt": now.milliseconds,
        ]),
      row("attempt", "id", ["id": 4, "request": "served", "beganAt": issued.milliseconds, "endedAt": issued.milliseconds]),
      row(
        "event", "id",
        ["id": 6, "at": issued.milliseconds, "severity": "information", "code": "certificateIssued", "text": "It was issued.", "device": "one"]),
      row("setting", "key", ["key": "events.keepDays", "value": "300"]),
      row("compromisedKey", "keyPin", ["keyPin": String(repeating: "ab", count: 32), "since": issued.milliseconds]),
      row(
        "renewal", "request",
        [
          "request": "served", "device": "one", "slot": "default", "notBefore": issued.milliseconds, "notAfter": end.milliseconds,
          "issuedAt": issued.milliseconds, "isPressing": 0, "pollAt": now.milliseconds, "pollFailures": 0, "dueAt": end.milliseconds, "rule": "",
          "state": "waiting",
        ]),
      row(
        "authorityOutage", "directory",
        [
          "directory": "https://former.test/directory", "since": issued.milliseconds,
          "failure": #"{"error":"caUnavailable","text":"503","isFinal":false}"#,
          "failures": 2, "retryAt": now.milliseconds,
        ]),
      row("ledger", "account", ["book": "https://acme.test/directory", "account": "orders", "fullAt": (now + .days(1)).milliseconds]),
      row(
        "alarm", "id",
        ["id": 3, "slot": "", "code": "clockWrong", "severity": "major", "text": "The clock is wrong.", "since": issued.milliseconds]),
      row("mark", "name", ["name": "generation", "value": 12]),
      row(
        "campaign", "id",
        [
          "id": 2, "reason": "forced", "isAutomatic": 0, "startedAt": issued.milliseconds, "total": 7, "isLate": 0, "endedAt": now.milliseconds,
        ]),
      row("visit", "device", ["device": "one", "beganAt": issued.milliseconds, "seenAt": now.milliseconds]),
    ]
  }

  /// Writes what a version had room for.
  /// - Returns: that.
  func write(to file: URL, version: Int) throws -> [Row] {
    let queue = try DatabaseQueue(path: file.path(percentEncoded: false))
    try Schema.migrator.migrate(queue, upTo: "\(version)")
    return try queue.write { database in
      try rows.compactMap { row in
        guard try database.tableExists(row.table) else { return nil }
        let columns = Set(try database.columns(in: row.table).map(\.name))
        var row = row
        row.values = row.values.filter { columns.contains($0.key) }
        let sorted = row.values.sorted { $0.key < $1.key }
        try database.execute(
          sql: "INSERT INTO \(row.table) (\(sorted.map(\.key).joined(separator: ", "))) VALUES (\(databaseQuestionMarks(count: sorted.count)))",
          arguments: StatementArguments(sorted.map(\.value)))
        return row
      }
    }
  }
}
