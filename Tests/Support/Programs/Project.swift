package import FoundationEssentials

/// Where the parts of the project are that tests run as programs.
package enum Project {
  /// The folder of Package.swift.
  package static let root = (0..<4).reduce(URL(filePath: #filePath)) { path, _ in path.deletingLastPathComponent() }

  /// The program that runs Debian's Pebble.
  package static let pebble = root.appending(path: "deploy/local/pebble.py").path

  /// The program that types at a terminal.
  package static let typist = root.appending(path: "Tests/Support/terminal/type.py").path

  /// A foreign client: a program that knows nothing of ours but the pages about it.
  package static func foreign(_ name: String) -> String { root.appending(path: "Tests/Integration/foreign/\(name)").path }

  /// Python with the packages `varlink` and `websockets`, as `Tests/foreign/setup` makes it.
  package static let foreignPython = root.appending(path: ".build/foreign/bin/python3").path

  /// An executable of ours.
  package static func executable(_ name: String) -> String { root.appending(path: ".build/debug/\(name)").path }
}
