import Telemetry

/// A selection as a setting has it.
extension TraceSelection {
  /// More devices than these are all.
  static let mostDevices = 100

  /// Reads `off`, `all`, or ids with commas between them; nil for anything else.
  init?(setting text: String) {
    switch text.lowercased() {
    case "off", "": self.init()
    case "all": self.init(all: true)
    default:
      let ids = text.split(separator: ",").map { $0.filter { $0 != " " } }
      guard ids.count <= Self.mostDevices, ids.allSatisfy({ (1...64).contains($0.utf8.count) && $0.utf8.allSatisfy { 0x21...0x7E ~= $0 } }) else {
        return nil
      }
      self.init(devices: Set(ids))
    }
  }

  /// Its one form.
  var setting: String { all ? "all" : devices.isEmpty ? "off" : devices.sorted().joined(separator: ",") }

  /// The selection after a switch, for one device or for all; nil when one device is to be taken out of all.
  func switched(on: Bool, for device: String?) -> TraceSelection? {
    guard let device else { return TraceSelection(all: on) }
    guard !all else { return on ? self : nil }
    return TraceSelection(devices: on ? devices.union([device]) : devices.subtracting([device]))
  }
}
