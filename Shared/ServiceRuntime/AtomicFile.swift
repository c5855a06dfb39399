public import FoundationEssentials
import Glibc

/// A file that is always whole: a reader, or the next process after a power cut, finds the old content or the new, never a part.
///
/// Content is written to a hidden file beside it, synced, moved over the name, and the folder synced: when `write` returns, it is on disk.
public struct AtomicFile: Sendable, Hashable {
  /// Where the file is.
  public let url: URL

  /// Names a file; nothing is touched.
  public init(_ url: URL) {
    self.url = url
  }

  /// Replaces the content.
  ///
  /// - Parameter mode: The permissions of the new file, whatever the process's umask.
  public func write(_ content: some ContiguousBytes, mode: UInt32 = 0o600) throws(ServiceRuntimeError) {
    let draft = try makeDraft(mode: mode)
    do throws(ServiceRuntimeError) {
      try draft.file.write(content)
      try draft.file.sync()
      guard rename(draft.path, path) == 0 else { throw ServiceRuntimeError.file(path, doing: "replace") }
    } catch {
      unlink(draft.path)
      throw error
    }
    try Self.syncFolder(of: url)
  }

  /// Replaces the file by one that somebody else writes, SQLite for example.
  ///
  /// - Parameter make: Writes all of it at the path that it is given; nothing is there yet.
  public func write(_ make: (String) throws -> Void) throws {
    let draft = draftPath()
    do {
      try make(draft)
      try OpenFile(draft, O_RDONLY)?.sync()
      guard rename(draft, path) == 0 else { throw ServiceRuntimeError.file(path, doing: "replace") }
    } catch {
      unlink(draft)
      throw error
    }
    try Self.syncFolder(of: url)
  }

  /// The content; nil when there is no file.
  ///
  /// - Parameter limit: The most bytes that make sense here; more is an error, and not read.
  public func read(limit: Int) throws(ServiceRuntimeError) -> [UInt8]? {
    try OpenFile(path, O_RDONLY | O_NOCTTY | O_NONBLOCK)?.read(limit: limit)
  }

  /// Takes the file away, for good when this returns. No file is fine too.
  public func remove() throws(ServiceRuntimeError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .file(path, doing: "remove") }
    try Self.syncFolder(of: url)
  }

  /// Moves a file that makes no sense out of the way, for a person to look at; an earlier one set aside is overwritten.
  ///
  /// - Returns: Where it is now: the name with `.corrupt` at its end.
  public func setAside() throws(ServiceRuntimeError) -> URL {
    let aside = url.deletingLastPathComponent().appending(component: url.lastPathComponent + ".corrupt")
    guard rename(path, aside.path(percentEncoded: false)) == 0 else { throw .file(path, doing: "set aside") }
    try Self.syncFolder(of: url)
    return aside
  }

  /// Makes a folder, and those above it, for their owner alone; one that is there stays as it is. When this returns, it is on disk.
  public static func makeFolder(at folder: URL) throws(ServiceRuntimeError) {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw ServiceRuntimeError(.file, folder.path(percentEncoded: false), cause: "cannot make: \(error)")
    }
    try syncFolder(of: folder)
  }

  /// Removes the drafts that a killed process left in a folder and those below it. Only at the start, when nobody writes there.
  static func removeDrafts(below folder: URL) {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
    for file in paths.map({ folder.appending(path: $0) }) where isDraft(file.lastPathComponent) { unlink(file.path(percentEncoded: false)) }
  }

  /// The files of a folder that were finished, by name; those set aside are among them, hidden ones are not.
  public static func files(in folder: URL) throws(ServiceRuntimeError) -> [AtomicFile] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
    } catch {
      throw ServiceRuntimeError(.file, folder.path(percentEncoded: false), cause: "cannot list: \(error)")
    }
    return names.filter { !$0.hasPrefix(".") }.sorted().map { AtomicFile(folder.appending(component: $0)) }
  }

  private var path: String { url.path(percentEncoded: false) }

  private struct Draft: ~Copyable {
    let path: String
    let file: OpenFile
  }

  private static let draftSuffix = ".draft"

  private static func isDraft(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(draftSuffix) }

  /// A hidden file of a name no other writer has: two writers at once each move a whole file, and the later one wins.
  private func makeDraft(mode: UInt32) throws(ServiceRuntimeError) -> Draft {
    let path = draftPath()
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    // What a person knows is the file itself, and an error that is the same again is said in the same words.
    guard let file = try OpenFile(path, flags, mode: mode, as: self.path) else { throw .file(self.path, doing: "create") }
    return Draft(path: path, file: file)
  }

  private func draftPath() -> String {
    let name = ".\(url.lastPathComponent).\(String(UInt64.random(in: .min ... .max), radix: 16))\(Self.draftSuffix)"
    return url.deletingLastPathComponent().appending(component: name).path(percentEncoded: false)
  }

  private static func syncFolder(of url: URL) throws(ServiceRuntimeError) {
    let folder = url.deletingLastPathComponent().path(percentEncoded: false)
    guard let folder = try OpenFile(folder, O_RDONLY | O_DIRECTORY) else { throw .file(folder, doing: "open") }
    try folder.sync()
  }
}
