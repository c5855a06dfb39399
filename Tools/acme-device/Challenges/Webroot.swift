import AppWebsocket
import Glibc
import PKI

/// The folder of a web server, where challenge answers are files: `<folder>/.well-known/acme-challenge/<token>`.
///
/// Who may write there may be somebody else than who runs this program, perhaps as root. So no symbolic link is followed below the folder, files are
/// made anew and moved into place, and a name is a ``ChallengeToken``, which has no dot and no slash. What was put there is noted beforehand, so that
/// the next run removes what a kill has left.
struct Webroot: Sendable {
  /// The web server's folder.
  let folder: String
  /// Where is noted what lies there.
  private let note: String
  private let files: DurableFiles

  /// The web server's folder, with the notes in a folder of the device's own.
  init(folder: String, notes: String, files: DurableFiles = DurableFiles()) {
    self.folder = folder
    self.note = "\(notes)/webroot"
    self.files = files
  }

  /// Removes what an earlier run has left.
  func clear() throws {
    for token in try noted() { try unlinkFile(token) }
    try files.remove(note)
  }

  /// Puts an answer in place. When this returns, a server finds it there whole.
  func put(_ keyAuthorization: KeyAuthorization, token: ChallengeToken) throws {
    let others = try noted()
    if !others.contains(token) { try write(note: others + [token]) }
    guard let place = try descend(making: true) else { throw FileError(folder, "opened") }
    defer { close(place) }
    let draft = ".\(token).draft"
    unlinkat(place, draft, 0)
    let file = openat(place, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw FileError(path(draft), "written") }
    defer { close(file) }
    let bytes = Array(keyAuthorization.value.utf8)
    // The umask may have taken the bits by which the server reads it.
    guard fchmod(file, 0o644) == 0, Glibc.write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0,
      renameat(place, draft, place, token.value) == 0, fsync(place) == 0
    else { throw FileError(path(token.value), "written") }
  }

  /// Takes an answer away; one that is not there is fine.
  func remove(_ token: ChallengeToken) throws {
    try unlinkFile(token)
    let others = try noted().filter { $0 != token }
    if others.isEmpty { try files.remove(note) } else { try write(note: others) }
  }

  private func unlinkFile(_ token: ChallengeToken) throws {
    guard let place = try descend(making: false) else { return }
    defer { close(place) }
    unlinkat(place, ".\(token).draft", 0)
    guard unlinkat(place, token.value, 0) == 0 || errno == ENOENT else { throw FileError(path(token.value), "removed") }
  }

  /// Opens the folder of the challenges, step by step; nil if it is not there and is not to be made.
  private func descend(making: Bool) throws -> CInt? {
    var place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard place >= 0 else { throw FileError(folder, "opened") }
    for name in [".well-known", "acme-challenge"] {
      let isNew = making && mkdirat(place, name, 0o755) == 0
      let next = openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      let reason = errno
      close(place)
      if next < 0, reason == ENOENT, !making { return nil }
      // A symbolic link is ENOTDIR or ELOOP here.
      errno = reason
      guard next >= 0 else { throw FileError("\(name) in the folder \(folder)", "opened as a folder; it must be one, and no symbolic link") }
      if isNew { fchmod(next, 0o755) }
      place = next
    }
    return place
  }

  private func path(_ name: String) -> String { folder + ChallengeToken.folder + name }

  private func noted() throws -> [ChallengeToken] {
    try files.read(note)?.split(separator: "\n").compactMap { ChallengeToken(String($0)) } ?? []
  }

  private func write(note tokens: [ChallengeToken]) throws {
    try files.write(tokens.map { "\($0)\n" }.joined(), to: note, mode: 0o600)
  }
}
