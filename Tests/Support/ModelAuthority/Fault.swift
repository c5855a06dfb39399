import NIOHTTP1

/// What goes wrong with one request. A fault is a value, to be written into a ``FaultScript``.
public enum Fault: Codable, Sendable, Hashable {
  /// The CA refuses; nothing is done.
  case refused(Refusal)
  /// Nothing is done; what stands before the CA answers with a page of HTML, perhaps with a `Retry-After`.
  case page(status: Int, retryAfter: String?)
  /// Nothing is done; the answer sends the client elsewhere.
  case redirected(status: Int)
  /// Nothing is done, and the connection ends without an answer.
  case dropped
  /// All is done, and the connection ends without an answer.
  case unanswered
  /// All is done, and the answer takes its time.
  case late(milliseconds: Int)
  /// All is done, and the body comes byte by byte, with this pause before each.
  case dripping(milliseconds: Int)
  /// The connection ends in the middle of the answer.
  case cutOff
  /// Half of the body, as if that were all.
  case half
  /// So many blanks after the body.
  case swollen(bytes: Int)
  /// Another body.
  case body(String)
  /// Another content type.
  case contentType(String)
  /// A header field is missing.
  case without(header: String)
  /// The chain of another certificate than was ordered, or none.
  case chain(ChainMistake)

  /// What can be wrong with a chain.
  public enum ChainMistake: String, Codable, Sendable, CaseIterable {
    /// For another key than the CSR's.
    case otherKey
    /// For other names.
    case otherName
    /// Not signed by the issuer that follows it.
    case otherIssuer
    /// The blocks of the PEM are no certificates.
    case garbage
    /// There is a private key in it.
    case withKey
    /// It ends within its last block.
    case cut
    /// The leaf ends before it begins.
    case outOfTime
    /// The leaf has ended.
    case ended
    /// The leaf begins after years.
    case notBegun
  }

  /// Whether the CA does what it is asked.
  var isServed: Bool {
    switch self {
    case .refused, .page, .redirected, .dropped: false
    default: true
    }
  }

  /// The answer that the client gets instead of `answer`.
  func distort(_ answer: Answer) -> Answer {
    var answer = answer
    switch self {
    case .refused(let refusal): return refusal.answer
    case .page(let status, let retryAfter): return .page(status: status, retryAfter: retryAfter)
    case .redirected(let status): return Answer(status: status, headers: ["location": "https://elsewhere.example/"])
    case .dropped, .unanswered: answer.delivery = .none
    case .late(let milliseconds): answer.delay = .milliseconds(milliseconds)
    case .dripping(let milliseconds): answer.drip = .milliseconds(milliseconds)
    case .cutOff: answer.delivery = .half
    case .half: answer.body.removeLast(answer.body.count / 2)
    case .swollen(let bytes): answer.body += [UInt8](repeating: UInt8(ascii: " "), count: bytes)
    case .body(let text): answer.body = Array(text.utf8)
    case .contentType(let type): answer.headers.replaceOrAdd(name: "content-type", value: type)
    case .without(let header): answer.omitted = header.lowercased()
    case .chain: break
    }
    return answer
  }
}

/// Which faults befall which requests.
struct FaultScript: Sendable {
  private var once: [Resource: [Fault]] = [:]
  private var always: [Resource: Fault] = [:]

  /// The next requests to a resource, one fault for each.
  mutating func add(_ faults: [Fault], to resource: Resource) { once[resource, default: []] += faults }

  /// All requests to a resource that have no other fault; nil ends it.
  mutating func keep(_ fault: Fault?, at resource: Resource) { always[resource] = fault }

  /// The fault of a request that has come.
  mutating func next(at resource: Resource) -> Fault? {
    guard var faults = once[resource], !faults.isEmpty else { return always[resource] }
    let fault = faults.removeFirst()
    once[resource] = faults
    return fault
  }

  /// Faults that no request has met.
  var unused: Int { once.values.reduce(0) { $0 + $1.count } }
}
