package import FoundationEssentials

/// Where the parts of the project are that tests run as programs.
package enum Project {
  /// The folder of Package.swift.
  package static let root = (0..<4).reduce(URL(filePath: #filePath)) { path, _ in path.deletingLastPathComponent() }

  /// The program that runs Debian's Pebble.
  package static let pebble = root.appending(path: "deploy/local/pebble.py").path

  /// The program that types at a terminal.
  package static let typist = root.appending(path: "Tests/Support/terminal/type.py").path

  /// An executable of ours.
  package static func executable(_ name: String) -> String { root.appending(path: ".build/debug/\(name)").path }
}
