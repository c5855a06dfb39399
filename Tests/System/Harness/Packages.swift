import FoundationEssentials
import Glibc
import Programs

/// The Debian packages that `make deb` has made.
enum Packages {
  /// Where they are, by package name.
  static let files: [String: String] = {
    let folder = ".build/packages"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: Project.root.appending(path: folder).path)) ?? []
    let packages = names.filter { $0.hasSuffix(".deb") }.map { ($0.prefix { $0 != "_" }, Bed.project("\(folder)/\($0)")) }
    return Dictionary(packages.map { (String($0), $1) }, uniquingKeysWith: { first, _ in first })
  }()

  /// Whether the tests are to run: always in CI.
  static var areWanted: Bool { !files.isEmpty || ProcessInfo.processInfo.environment["CI"] != nil }
}

extension Bed {
  /// Boots a machine without acme-connector, and installs packages on it.
  static func withPackages<Result: Sendable>(_ names: String..., body: @Sendable (Bed) async throws -> Result) async throws -> Result {
    try await with(isBare: true) { bed in
      for name in names { try await bed.install(name) }
      return try await body(bed)
    }
  }

  /// Installs a package as an administrator would, or brings it to the present version.
  func install(_ name: String) async throws {
    guard let file = Packages.files[name] else { throw Failure("there is no package \(name) in .build/packages; make deb makes it") }
    try await dpkg("--install", file)
  }

  /// The same package at a version before this one.
  /// - Returns: its file.
  func olderPackage(_ name: String) async throws -> String {
    guard let file = Packages.files[name] else { throw Failure("there is no package \(name) in .build/packages; make deb makes it") }
    let older = "/root/\(name)-older"
    try await run("dpkg-deb", "--raw-extract", file, older)
    try await run("sed", "--in-place", "s/^Version:.*/Version: 0.0.1/", "\(older)/DEBIAN/control")
    try await run("dpkg-deb", "-Znone", "--build", older, "\(older).deb")
    return "\(older).deb"
  }

  /// `dpkg`, which asks nothing.
  @discardableResult
  func dpkg(_ arguments: String...) async throws -> String {
    let command = Command("dpkg", arguments, environment: ["DEBIAN_FRONTEND": "noninteractive"])
    let outcome = try await inside(command).run(limit: .seconds(100))
    guard outcome.succeeded else { throw Failure("dpkg \(arguments.joined(separator: " ")) failed: \(outcome.complaints) \(outcome.output)") }
    return outcome.output + outcome.complaints
  }
}
