/// Why a CSR is refused before anything is ordered. The code is a word of the device protocol and is all that counts for equality; name and text
/// are for people.
public struct SigningRequestRejection: Error, Sendable, Hashable, CustomStringConvertible {
  /// The error words of the device protocol that are about a CSR.
  public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
    /// It cannot be read, is too large, or its signature is not that of its key, or of a kind that no public authority accepts.
    case badCsr
    /// A key that no public authority accepts.
    case weakKey
    /// The key has been used up, for example because it became known.
    case newKeyRequired
    /// There is no name in it.
    case noNames
    /// Its names are not those that came beside it.
    case namesMismatch
    /// Not a DNS name in A-labels.
    case invalidName
    /// A wildcard cannot be validated over HTTP.
    case wildcardNotSupported
    /// An address instead of a name.
    case ipNotSupported
    /// More than 100 names.
    case tooManyNames
    /// More names than the authority's profile allows.
    case profileLimit
    /// The login may not ask for this name.
    case nameNotAllowed
    /// Another device holds this name.
    case nameHeldByOther
    /// A name that no public authority can validate.
    case nonPublicName
  }

  /// The word of the device protocol.
  public let code: Code
  /// The name it is about, as it was written; shortened, and in printable ASCII.
  public let name: String?
  /// What is wrong and what to do, as a sentence.
  public let text: String

  /// A rejection with its sentence, and the name it is about.
  public init(_ code: Code, name: String? = nil, _ text: String) {
    self.code = code
    self.name = name.map { String(decoding: $0.utf8.prefix(DNSName.maximumLength).map { (0x20..<0x7F).contains($0) ? $0 : 0x3F }, as: UTF8.self) }
    self.text = text
  }

  /// The sentence, with the name it is about.
  public var description: String {
    guard let name else { return text }
    return "\(name): \(text)"
  }

  /// Whether both have the same code.
  public static func == (left: SigningRequestRejection, right: SigningRequestRejection) -> Bool { left.code == right.code }

  /// Hashes the code.
  public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
