import PKI
import SchedulerAPI
import Telemetry

extension Fleet {
  /// What is traced.
  var traces: [TraceView] {
    TraceCategory.allCases.compactMap { category in
      guard let view = try? settings.view(of: SettingDefinition.tracing(category).key), let selection = TraceSelection(setting: view.value) else {
        return nil
      }
      return TraceView(
        category: category, all: selection.all, devices: selection.devices.sorted().map(DeviceID.init(rawValue:)), source: view.source)
    }
  }

  /// Switches categories, for one device or for all. Where one of them cannot be switched, none is.
  func setTrace(_ categories: [TraceCategory], on: Bool, device: DeviceID?) async throws {
    if let device, try await store.read({ try DeviceRecord.fetch(device, from: $0) }) == nil { throw NotFound.device(device) }
    var changes: [(key: String, value: String)] = []
    for category in TraceCategory.allCases where categories.contains(category) {
      let before = settings.current.tracing[category] ?? TraceSelection()
      guard let after = before.switched(on: on, for: device?.rawValue) else {
        throw Refusal(.notAllowed, "\(category.rawValue) is traced for all devices; switch it off for all, then on for those that you want.")
      }
      let key = SettingDefinition.tracing(category).key
      _ = try settings.proposed(after.setting, for: key)
      if after != before { changes.append((key, after.setting)) }
    }
    for (key, value) in changes { _ = try await change(key, to: value) }
  }
}
