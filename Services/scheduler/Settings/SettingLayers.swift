import SchedulerAPI

/// The layers that settings come from, one above the other: default, stored, file, environment.
struct SettingLayers: Sendable, Hashable {
  private var stored: [String: String]
  private var file: [String: String]
  private var environment: [String: String]
  private let path: String

  /// - Parameter path: the settings file's, for error texts.
  /// - Throws: ``SettingsError`` when file or environment have a value that is not allowed: to go on without it could mean another CA.
  init(stored: [String: String], file: SettingsFile, path: String, variables: [String: String]) throws(SettingsError) {
    self.path = path
    self.stored = stored
    self.file = [:]
    environment = [:]
    for definition in SettingDefinition.all {
      if let value = file.values[definition.key] {
        self.file[definition.key] = try Self.normalized(value, definition, place: path)
      }
      if let value = variables[definition.environmentName] {
        environment[definition.key] = try Self.normalized(value, definition, place: "environment \(definition.environmentName)")
      }
    }
  }

  private static func normalized(_ value: String, _ definition: SettingDefinition, place: String) throws(SettingsError) -> String {
    do { return try definition.normalized(value) } catch { throw SettingsError(place: place, cause: error.text) }
  }

  /// A setting's value, and where it comes from. A stored value that an older version allowed and this one does not counts as none.
  func value(_ definition: SettingDefinition) -> (value: String, source: SettingSource) {
    let key = definition.key
    if let value = environment[key] { return (value, .environment) }
    if let value = file[key] { return (value, .file) }
    if let value = stored[key], let allowed = try? definition.normalized(value) { return (allowed, .stored) }
    return (definition.standard, .standard)
  }

  /// The layers with another stored value, nil for none.
  /// - Returns: the layers, and the value as it is to be stored.
  /// - Throws: ``Refusal`` when there is no such setting, the value is not allowed, or file or environment fix it.
  func storing(_ value: String?, for key: String) throws(Refusal) -> (layers: SettingLayers, value: String?) {
    let definition = try SettingDefinition.of(key)
    switch self.value(definition).source {
    case .environment: throw Refusal(.fixedSetting, "\(key) is fixed by the environment variable \(definition.environmentName); change it there.")
    case .file: throw Refusal(.fixedSetting, "\(key) is fixed by the file \(path); change it there.")
    case .standard, .stored: break
    }
    var value = value
    if let text = value { value = try definition.normalized(text) }
    var layers = self
    layers.stored[key] = value
    return (layers, value)
  }

  /// The layers as if a setting had this value, whatever fixes it now.
  /// - Throws: ``Refusal`` when there is no such setting, or the value is not allowed.
  func rehearsing(_ value: String, for key: String) throws(Refusal) -> SettingLayers {
    var layers = self
    layers.environment[key] = try SettingDefinition.of(key).normalized(value)
    return layers
  }

  /// The layers with another file and environment.
  func rereading(file: SettingsFile, variables: [String: String]) throws(SettingsError) -> SettingLayers {
    try SettingLayers(stored: stored, file: file, path: path, variables: variables)
  }

  /// A setting as administrators see it.
  func view(_ definition: SettingDefinition) -> SettingView {
    let (value, source) = value(definition)
    return SettingView(key: definition.key, value: value, source: source, description: definition.description)
  }
}
