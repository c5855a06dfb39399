import PKI
import ResponderAPI

/// What an order asks of the CA.
enum OrderRequest: Sendable, Hashable {
  /// newOrder, with the intent on disk before and the order's URL on disk after.
  case create
  case read(ResourceURL)
  case readAuthorization(ResourceURL)
  case postChallenge(ResourceURL, authorization: ResourceURL)
  case finalize(ResourceURL)
  case download(ResourceURL)
}

/// A challenge's answer: what the CA will ask for, and where.
struct Publication: Sendable, Hashable {
  let name: DNSName
  let token: ChallengeToken
}

extension Authorization {
  /// What the CA looks for, or looked for, to prove the name.
  var publication: Publication? {
    guard let name = identifier.name, let token = http01?.challengeToken else { return nil }
    return Publication(name: name, token: token)
  }
}

/// What happened to an order.
enum OrderEvent: Sendable {
  /// newOrder was answered; the URL is on disk.
  case created(ResourceURL, Order, retryAfter: Duration?)
  case read(Order, retryAfter: Duration?)
  case authorizationRead(ResourceURL, Authorization, retryAfter: Duration?)
  /// These responders say that the answer is in place.
  case published(authorization: ResourceURL, by: [String] = [])
  /// No responder has the answer in place; the reason is a sentence.
  case notPublished(authorization: ResourceURL, reason: String)
  case challengePosted(authorization: ResourceURL, Challenge, retryAfter: Duration?)
  case finalized(Order, retryAfter: Duration?)
  /// The CA wants to see more before the CSR (RFC 8555, section 7.4, orderNotReady).
  case notReady(retryAfter: Duration?)
  /// The chain is checked, and on disk.
  case chainStored
  case failed(OrderRequest, ACMEError)
  /// The time for stragglers is over.
  case waitedForStragglers
}

/// What is to be done next.
enum OrderAction: Sendable, Hashable {
  case send(OrderRequest, after: Duration)
  case publish(Publication, authorization: ResourceURL, expires: Instant?)
  case withdraw(Publication)
  /// What an earlier run has left in place for these authorizations is not looked for any more.
  case withdrawRemains([ResourceURL])
  case waitForStragglers(Duration)
  /// A name is proved, so long after the CA was asked to.
  case validated(DNSName, after: Duration)
  case enter(OrderStage)
  case end(OrderEnding)
}

/// How far an order is, for who waits for it.
enum OrderStage: Sendable, Hashable {
  case challenging, finalizing
}

/// How the work on an order ends.
enum OrderEnding: Sendable, Hashable {
  case issued
  case failed(OrderFailure)
  /// The order that was taken up is of no use any more; another one is needed.
  case beginAnew(String)
}

/// Why an order came to nothing.
enum OrderFailure: Sendable, Hashable, Error {
  /// These names could not be proved.
  case names([NameFailure])
  /// The CA made the order invalid.
  case order(ProblemDocument?)
  /// A request was refused, or not answered.
  case request(ACMEError)
  /// The CA does not come to an end, or wants to be asked later than this call can; the order is kept.
  case overdue(OrderStage?, retryAfter: Duration?)
}

/// Why a name could not be proved.
struct NameFailure: Sendable, Hashable {
  enum Cause: Sendable, Hashable {
    /// The CA's validation failed.
    case refused(ProblemDocument)
    /// The CA made the authorization useless and says no more than its state.
    case unusable(Authorization.Status)
    /// The CA offers no challenge that is answered here.
    case noChallenge
    /// No responder has the answer in place; the reason is a sentence.
    case notPublished(String)
  }

  let name: DNSName
  let cause: Cause
  /// Who had said that the answer is in place.
  var answeredBy: [String] = []
  /// Who had asked for the answer by then; nil when nobody can tell.
  var visits: Visits?
}
