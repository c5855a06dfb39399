import ArgumentParser
import FoundationEssentials

/// A CA as an administrator names it: by a word for those that everyone knows, or by the URL of its directory.
struct AuthorityName: Hashable, Sendable, ExpressibleByArgument {
  /// The words, and the directories that they stand for.
  static let known = [
    (word: "letsencrypt", directory: "https://acme-v02.api.letsencrypt.org/directory"),
    (word: "letsencrypt-staging", directory: "https://acme-staging-v02.api.letsencrypt.org/directory"),
  ]

  /// The URL of the directory, or of its parent.
  let directory: String

  /// The CA that an argument names, or nil if it is neither a word nor an https URL.
  init?(argument: String) {
    if let known = Self.known.first(where: { $0.word == argument.lowercased() }) {
      directory = known.directory
      return
    }
    guard let url = URL(string: argument), url.scheme?.lowercased() == "https", url.host()?.isEmpty == false else { return nil }
    directory = argument
  }

  /// The word for a directory, or the URL itself.
  static func word(for directory: String) -> String { known.first { $0.directory == directory }?.word ?? directory }
}
