import Foundation

/// The text of a file in Resources.
func resource(_ name: String) throws -> String {
  try String(contentsOf: Bundle.module.bundleURL.appending(path: "Resources/\(name)"), encoding: .utf8)
}
