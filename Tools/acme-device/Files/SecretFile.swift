import FoundationEssentials
import Glibc

/// The file whose first line is the password of the login. It is read anew for every login, so that a changed secret needs no restart.
struct SecretFile: Sendable {
  /// Where it is.
  let path: String

  /// Reads the secret.
  func read() throws -> String {
    guard let text = try DurableFiles().read(path) else { throw FileError(path, because: "there is no such file.") }
    guard let line = text.split(whereSeparator: \.isNewline).first else {
      throw FileError(path, because: "it is empty, and its first line should be the password.")
    }
    return String(line)
  }

  /// Asks the person at the terminal for the password if there is no file yet, and keeps it there for later runs: so it is in no list of processes and no
  /// history of a shell.
  /// - Returns: whether it was asked for.
  func askIfMissing() throws -> Bool {
    guard try DurableFiles().read(path) == nil, isatty(STDIN_FILENO) == 1 else { return false }
    // getpass(3) shows nothing of what is typed, and puts the terminal right afterwards.
    guard let typed = getpass("Password of the login at the connector: ") else { throw FileError(path, because: "there is no such file.") }
    let password = String(cString: typed)
    memset(typed, 0, strlen(typed))
    guard !password.isEmpty else { throw FileError(path, because: "there is no such file, and no password was typed.") }
    let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    try DurableFiles().makeFolder(folder)
    try DurableFiles().write(password + "\n", to: path, mode: 0o600)
    return true
  }

  /// Takes the file away: the password in it has proved to be of no use.
  func forget() throws { try DurableFiles().remove(path) }
}
