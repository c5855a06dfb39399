import FoundationEssentials
import Glibc
import PKI
import ServiceRuntime

/// What the executable does instead of serving, for those who install it: it ends when that is done.
enum MaintenanceCommand: String {
  /// Makes a backup of the database, also of one that a scheduler is at work on, and prints where it is; where there is no database, nothing.
  case saveDatabase = "--save-database"
  /// Prints all settings as JSON, for the manual page.
  case listSettings = "--list-settings"

  /// The command that is asked for, if it does.
  init?(_ arguments: [String]) {
    guard arguments.count == 2 else { return nil }
    self.init(rawValue: arguments[1])
  }

  /// Does it, and ends the process.
  func run() -> Never {
    // What it writes is the scheduler's alone.
    umask(0o077)
    do {
      switch self {
      case .saveDatabase: try saveDatabase()
      case .listSettings: try listSettings()
      }
    } catch {
      let line = Array("scheduler: \(rawValue) failed: \(error)\n".utf8)
      _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      exit(EXIT_FAILURE)
    }
    exit(EXIT_SUCCESS)
  }

  private func saveDatabase() throws {
    let environment = ServiceEnvironment(name: "scheduler", variables: ProcessInfo.processInfo.environment)
    let backup = try DatabaseBackup.save(databaseAt: Store.file(in: environment), at: WallClock.system.now())
    if let backup { print(backup.path(percentEncoded: false)) }
  }

  private struct Setting: Encodable {
    var key: String
    var standard: String
    var description: String
    var variable: String
  }

  private func listSettings() throws {
    let settings = SettingDefinition.all.map {
      Setting(key: $0.key, standard: $0.standard, description: $0.description, variable: $0.environmentName)
    }
    print(String(decoding: try JSONEncoder().encode(settings), as: UTF8.self))
  }
}
