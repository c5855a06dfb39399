public import PKI

/// The words by which an answer says why it is no success.
public enum ErrorToken: String, Sendable, Hashable, Encodable, CaseIterable {
  // About the connection and the message.
  case loginRefused, loginBlocked, notLoggedIn, unknownMessage, badMessage, missingProperty, tooLarge, busy, notAllowed, notFound
  case notConfigured, retired
  // About the CSR, before anything is ordered.
  case badCsr, weakKey, newKeyRequired, noNames, namesMismatch, invalidName, wildcardNotSupported, ipNotSupported, tooManyNames, profileLimit
  case nameNotAllowed, nameHeldByOther, nonPublicName
  // About the order.
  case nameUnreachable, challengeFailed, caaForbids, namePaused, rateLimited, caUnavailable, accountProblem, internalError

  /// The word for a CSR that was refused.
  public init(_ code: SigningRequestRejection.Code) {
    self = ErrorToken(rawValue: code.rawValue) ?? .badCsr
  }
}

extension ErrorToken: Decodable {
  /// Reads a word; one that a later version of the protocol has added counts as an internal error, and the text beside it says what it is.
  public init(from decoder: any Decoder) throws {
    let word = try decoder.singleValueContainer().decode(String.self)
    self = ErrorToken(rawValue: word) ?? .internalError
  }
}
