import FoundationEssentials

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
}
