/// The path of this connector's instance, of the shape `/<domain>/<instance>`: all it serves is at or below it.
struct InstancePath: Sendable, CustomStringConvertible {
  /// The environment variable that names the path.
  static let variable = "ACME_CONNECTOR_PATH"
  static let standard = InstancePath(checked: "/connector")

  private let path: String

  /// A path that begins with a slash and has none at its end; nil for one that no URL could have.
  init?(_ text: String) {
    let isPlain = text.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"?#%\\".utf8.contains($0) }
    guard text.hasPrefix("/"), text.utf8.count <= 200, isPlain else { return nil }
    let segments = text.split(separator: "/")
    guard !segments.isEmpty, !segments.contains(".."), !segments.contains(".") else { return nil }
    path = "/" + segments.joined(separator: "/")
  }

  private init(checked path: String) {
    self.path = path
  }

  /// The URL without scheme and host of what lies below the instance.
  func appending(_ name: String) -> String { "\(path)/\(name)" }

  var description: String { path }

  /// What of a request's target lies below the path, without query; empty for the path itself; nil if it is elsewhere.
  func remainder(of target: String) -> Substring? {
    let target = target.prefix { $0 != "?" }
    guard target.hasPrefix(path) else { return nil }
    let rest = target.dropFirst(path.count)
    guard rest.isEmpty || rest.hasPrefix("/") else { return nil }
    return rest.drop { $0 == "/" }
  }

  /// The last of `/<domain>/<instance>` but one: what devices are told as the instance's domain; nil for a path of one segment.
  var domain: String? {
    path.split(separator: "/").dropLast().last.map(String.init)
  }
}
