import GRDB
import SchedulerAPI
import Telemetry
import Varlink

extension Fleet {
  /// Stores a setting, nil for its default. It acts at once.
  func change(_ key: String, to value: String?) async throws -> SettingView {
    let value = try settings.proposed(value, for: key)
    let author = PeerCredentials.caller.map { " by \($0)" } ?? ""
    let before = settings.current
    try await transact { transaction in
      if let value {
        try transaction.database.execute(
          sql: "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", arguments: [key, value])
      } else {
        try transaction.database.execute(sql: "DELETE FROM setting WHERE key = ?", arguments: [key])
      }
      if key.hasPrefix("authority.") { try transaction.tryAuthoritiesNow() }
      let shown = value.map { SettingDefinition.mayHoldPIN(key) ? "another URI" : "“\($0)”" } ?? "its default"
      try transaction.record(Event(.settingChanged, "\(key) was set to \(shown)\(author)."))
      transaction.afterwards {
        // It has been found to be allowed; only a settings file read anew in between can forbid it, and then that one counts.
        try? settings.take(value, for: key)
      }
    }
    settingsMayHaveChanged(from: before)
    return try settings.view(of: key)
  }

  /// Reads the settings file again.
  func reloadSettings() throws {
    let before = settings.current
    try settings.reload()
    settingsMayHaveChanged(from: before)
  }

  private func settingsMayHaveChanged(from before: Settings) {
    let now = settings.current
    // Another CA is a reason for another certificate, and the gateway's own device hears of it here.
    if (now.devices, now.gateway, now.authority) != (before.devices, before.gateway, before.authority) {
      watched.changes.publish(Watched.Change(now))
    }
    let tracing = now.tracing[.appWebsocket]
    if tracing != before.tracing[.appWebsocket] { watched.changes.publish(Watched.Change(tracing: tracing)) }
    board.wake()
  }
}

extension Watched.Change {
  /// What everyone is told about settings.
  init(_ settings: Settings) {
    self.init(settings: settings.devices, gateway: settings.gateway, tracing: settings.tracing[.appWebsocket])
  }
}

extension Store {
  /// The settings that were stored.
  func storedSettings() throws -> [String: String] {
    try readNow { database in
      let rows = try Row.fetchAll(database, sql: "SELECT key, value FROM setting")
      return Dictionary(rows.map { ($0["key"] as String, $0["value"] as String) }, uniquingKeysWith: { first, _ in first })
    }
  }
}
