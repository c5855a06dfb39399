import FoundationEssentials
import Logging
import SchedulerAPI
import ServiceRuntime
import Synchronization
import Telemetry

/// The settings as they are now. They act without a restart: whoever needs one asks here each time.
final class LiveSettings: Sendable {
  private struct State {
    var layers: SettingLayers
    var settings: Settings

    init(_ layers: SettingLayers) {
      self.layers = layers
      settings = Settings(layers)
    }
  }

  private let state: Mutex<State>
  private let file: AtomicFile
  private let variables: [String: String]
  private let logger: Logger

  /// Reads file and environment.
  /// - Parameter stored: the values in the store.
  /// - Throws: ``SettingsError``, or what kept the file from being read.
  init(stored: [String: String], file: URL, variables: [String: String], logger: Logger) throws {
    self.file = AtomicFile(file)
    self.variables = variables
    self.logger = logger
    let path = file.path(percentEncoded: false)
    state = Mutex(State(try SettingLayers(stored: stored, file: SettingsFile(), path: path, variables: variables)))
    try reload()
  }

  /// What is set now.
  var current: Settings { state.withLock { $0.settings } }

  /// All settings as administrators see them.
  var views: [SettingView] { SettingDefinition.all.map(layers.view) }

  /// A setting as administrators see it.
  func view(of key: String) throws(Refusal) -> SettingView { layers.view(try SettingDefinition.of(key)) }

  /// What is to be stored when a value is changed.
  /// - Throws: ``Refusal`` when it cannot be.
  func proposed(_ value: String?, for key: String) throws(Refusal) -> String? { try layers.storing(value, for: key).value }

  /// The settings as if one had this value, also where that is fixed: nothing is changed.
  /// - Throws: ``Refusal`` when the value is not allowed.
  func rehearsed(_ value: String, for key: String) throws(Refusal) -> Settings { Settings(try layers.rehearsing(value, for: key)) }

  /// Takes over a value that is stored now.
  func take(_ value: String?, for key: String) throws {
    try state.withLock { $0 = State(try $0.layers.storing(value, for: key).layers) }
  }

  /// Reads the file again.
  /// - Throws: when it cannot be used; then all stays as it was.
  func reload() throws {
    let path = file.url.path(percentEncoded: false)
    let settings = try file.read(limit: SettingsFile.sizeLimit).map { try SettingsFile($0, path: path) } ?? SettingsFile()
    if !settings.unknownKeys.isEmpty {
      let keys = settings.unknownKeys.joined(separator: ", ")
      logger.log(.settingIgnored, "the settings file has keys that mean nothing: \(keys)", metadata: [.file: path, .setting: keys])
    }
    try state.withLock { $0 = State(try $0.layers.rereading(file: settings, variables: variables)) }
  }

  private var layers: SettingLayers { state.withLock { $0.layers } }
}
