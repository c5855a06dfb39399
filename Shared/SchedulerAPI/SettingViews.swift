public import Telemetry

/// Where a setting's value comes from. Later ones win.
public enum SettingSource: String, Codable, Sendable, Hashable, CaseIterable {
  /// It is built in.
  case standard = "default"
  /// An administrator has set it.
  case stored
  /// The settings file has it.
  case file
  /// The environment of the scheduler has it.
  case environment

  /// Whether `settings set` cannot change it.
  public var isFixed: Bool { self == .file || self == .environment }
}

/// A setting with its value and where that comes from.
public struct SettingView: Codable, Sendable, Hashable {
  /// Its name, as `authority.directory`.
  public var key: String
  /// Its value as text.
  public var value: String
  /// Where the value comes from.
  public var source: SettingSource
  /// What it does, with unit and bounds.
  public var description: String

  /// A setting.
  public init(key: String, value: String, source: SettingSource, description: String) {
    self.key = key
    self.value = value
    self.source = source
    self.description = description
  }
}

/// A trace category, and for which devices it is on.
public struct TraceView: Codable, Sendable, Hashable {
  /// The category.
  public var category: TraceCategory
  /// It is on for all.
  public var all: Bool
  /// The devices that it is on for, if not for all.
  public var devices: [DeviceID]
  /// Where the value comes from.
  public var source: SettingSource

  /// A category and where it is on.
  public init(category: TraceCategory, all: Bool, devices: [DeviceID], source: SettingSource) {
    self.category = category
    self.all = all
    self.devices = devices
    self.source = source
  }
}
