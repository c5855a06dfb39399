public import FoundationEssentials

/// The secrets that the service manager hands to this process as files of a folder only it can read (systemd.exec(5), "Credentials").
public struct Credentials: Sendable {
  /// The most bytes of one credential; systemd itself allows no more in all.
  public static let longest = 1 << 20

  private let folder: URL?

  /// - Parameter folder: `$CREDENTIALS_DIRECTORY`; nil when there are none.
  public init(folder: URL?) {
    self.folder = folder
  }

  /// The credential of that name, byte for byte; nil when none was handed over.
  public func read(_ name: String) throws(ServiceRuntimeError) -> [UInt8]? {
    guard !name.isEmpty, name != ".", name != "..", !name.contains("/") else {
      throw ServiceRuntimeError(.badName, "credential \(name)", cause: "is no name of a file")
    }
    guard let folder else { return nil }
    return try AtomicFile(folder.appending(component: name)).read(limit: Self.longest)
  }
}
