import PKI
import SchedulerAPI

/// The settings as they are when the setup begins.
struct StoredSettings: Sendable {
  private let views: [String: SettingView]

  init(_ views: [SettingView]) {
    self.views = Dictionary(views.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The value; empty if it is not set.
  subscript(key: String) -> String { views[key]?.value ?? "" }

  /// The parts of a value with commas.
  func list(_ key: String) -> [String] { self[key].split(separator: ",").map(String.init) }

  /// Where a value is fixed; nil if it can be changed.
  func placeThatFixes(_ key: String) -> SettingSource? { views[key].flatMap { $0.source.isFixed ? $0.source : nil } }

  /// Whether this is the CA that is set.
  func isAuthority(_ directory: String) -> Bool {
    let set = self["authority.directory"]
    return !set.isEmpty && set.withoutSlash == directory.withoutSlash
  }
}

extension String {
  fileprivate var withoutSlash: Substring { hasSuffix("/") ? dropLast() : self[...] }
}
