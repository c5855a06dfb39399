import FoundationEssentials
import NIOHTTP1

/// A problem document (RFC 8555, section 6.7), and how it is sent.
public struct Refusal: Error, Codable, Sendable, Hashable {
  /// Without the prefix of ACME; or a whole URI.
  public var type: String
  /// The HTTP status.
  public var status: Int
  /// What a person reads.
  public var detail: String
  /// `Retry-After` as it is sent: seconds, or a date of HTTP.
  public var retryAfter: String?
  /// URLs by their link relation.
  public var links: [String: String]
  /// Where a person is to go (section 7.3.3).
  public var instance: String?
  /// What is wrong with single names (section 6.7.1): the type by the name.
  public var names: [String: String]

  /// A refusal of this type.
  public init(
    _ type: String, status: Int, _ detail: String, retryAfter: String? = nil, links: [String: String] = [:], instance: String? = nil,
    names: [String: String] = [:]
  ) {
    self.type = type
    self.status = status
    self.detail = detail
    self.retryAfter = retryAfter
    self.links = links
    self.instance = instance
    self.names = names
  }

  /// As JSON.
  struct Document: Encodable {
    let type: String
    let status: Int
    let detail: String
    let instance: String?
    let subproblems: [Subproblem]?

    struct Subproblem: Encodable {
      let type: String
      let detail: String
      let identifier: Identifier
    }
  }

  var document: Document {
    let subproblems = names.sorted { $0.key < $1.key }.map { name, type in
      Document.Subproblem(type: Self.uri(type), detail: "\(type) for \(name)", identifier: Identifier(type: "dns", value: name))
    }
    return Document(
      type: Self.uri(type), status: status, detail: detail, instance: instance, subproblems: subproblems.isEmpty ? nil : subproblems)
  }

  var answer: Answer {
    var answer = Answer.json(document, status: status)
    answer.headers.replaceOrAdd(name: "content-type", value: "application/problem+json")
    if let retryAfter { answer.headers.add(name: "retry-after", value: retryAfter) }
    for (relation, url) in links.sorted(by: { $0.key < $1.key }) { answer.headers.add(name: "link", value: "<\(url)>;rel=\"\(relation)\"") }
    return answer
  }

  private static func uri(_ type: String) -> String { type.contains(":") ? type : "urn:ietf:params:acme:error:\(type)" }
}

/// A request that no client may send: it is refused as the RFC says, and the test that sees it fails.
struct Deviation: Error {
  let refusal: Refusal

  init(_ what: String, type: String = "malformed", status: Int = 400) {
    refusal = Refusal(type, status: status, what)
  }
}
