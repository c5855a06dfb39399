import FoundationEssentials
import Programs

extension Project {
  static let runLocal = root.appending(path: "deploy/run-local").path

  /// A foreign client of this test target.
  static func foreign(_ name: String) -> String { root.appending(path: "Tests/Integration/foreign/\(name)").path }

  /// Python with the packages `varlink` and `websockets`, as `Tests/foreign/setup` makes it.
  static let foreignPython = root.appending(path: ".build/foreign/bin/python3").path
}
