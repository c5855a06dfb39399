import NIOHTTP1
import PKI

/// What is to be named (RFC 8555, section 9.7.7).
struct Identifier: Codable, Hashable, Sendable {
  let type: String
  let value: String
}

/// An order (RFC 8555, section 7.1.3).
struct OrderObject: Sendable {
  let id: String
  let account: String
  let names: Set<String>
  let profile: String?
  /// The certificate that is replaced (RFC 9773, section 5).
  let replaces: String?
  /// Whether no limit counts for it.
  let isExempt: Bool
  let authorizations: [String]
  let expires: Instant
  /// Once it is finalized.
  var certificate: String?
  /// How often it still says `processing`.
  var processingAnswers = 0
  var error: Refusal?
}

private struct OrderForm: Encodable {
  let status: String
  let expires: Instant.Text
  let identifiers: [Identifier]
  let profile: String?
  let replaces: String?
  let authorizations: [String]
  let finalize: String
  let certificate: String?
  let error: Refusal.Document?
}

private struct NewOrder: Decodable {
  let identifiers: [Identifier]
  let profile: String?
  let replaces: String?
}

extension Books {
  /// Section 7.4.
  mutating func newOrder(_ request: SignedRequest, now: Instant) throws -> Answer {
    let account = try request.account
    let form = try StrictJSON.decode(NewOrder.self, members: ["identifiers", "profile", "replaces"], from: request.payload, what: "newOrder")
    report.replaces.append(form.replaces)
    let names = try names(of: form)
    if let profile = form.profile {
      guard let most = manners.profiles[profile] else { throw Refusal("invalidProfile", status: 400, "there is no profile \(profile)") }
      guard names.count <= most else { throw Refusal("malformed", status: 400, "Order cannot contain more than \(most) DNS names") }
    }
    try checkPauses(names)
    let isExempt = try form.replaces.map { try mayReplace($0, account, names, now: now) } ?? false
    if !isExempt { try checkLimits(Set(Limit.Kind.allCases), account, names, now: now) }
    if manners.reusesOrders, let open = orders.values.first(where: { $0.account == account && $0.names == names && isOpen($0, now: now) }) {
      return answer(about: open, status: 201, now: now)
    }
    if !isExempt { spend([.ordersPerAccount], account, names, now: now) }
    let order = OrderObject(
      id: makeID(), account: account, names: names, profile: form.profile, replaces: form.replaces, isExempt: isExempt,
      authorizations: names.sorted().map { authorization(for: $0, account, now: now) }, expires: now + .seconds(manners.orderLifetime))
    orders[order.id] = order
    report.ordersMade += 1
    return answer(about: order, status: 201, now: now)
  }

  func order(_ id: String, _ request: SignedRequest, now: Instant) throws -> (OrderObject, Answer) {
    try request.requireAsGet()
    let order = try order(id, of: request)
    return (order, answer(about: order, now: now))
  }

  /// The order of the account that has signed.
  func order(_ id: String, of request: SignedRequest) throws -> OrderObject {
    guard let order = orders[id] else { throw Refusal("malformed", status: 404, "no such order") }
    guard try order.account == request.account else { throw Refusal("unauthorized", status: 403, "not your order") }
    return order
  }

  /// Section 7.1.6.
  func status(of order: OrderObject, now: Instant) -> String {
    if order.error != nil { return "invalid" }
    if order.certificate != nil { return order.processingAnswers > 0 ? "processing" : "valid" }
    let states = order.authorizations.compactMap { authorizations[$0].map { status(of: $0, now: now) } }
    if order.expires <= now || states.contains(where: { $0 != "pending" && $0 != "valid" }) { return "invalid" }
    return states.allSatisfy { $0 == "valid" } ? "ready" : "pending"
  }

  func isOpen(_ order: OrderObject, now: Instant) -> Bool { ["pending", "ready"].contains(status(of: order, now: now)) }

  func answer(about order: OrderObject, status code: Int = 200, now: Instant) -> Answer {
    let status = status(of: order, now: now)
    let form = OrderForm(
      status: status, expires: .init(order.expires), identifiers: order.names.sorted().map { Identifier(type: "dns", value: $0) },
      profile: order.profile, replaces: order.replaces, authorizations: order.authorizations.map { url(.authorization, $0) },
      finalize: url(.finalize, order.id), certificate: status == "valid" ? order.certificate.map { url(.certificate, $0) } : nil,
      error: order.error?.document)
    var headers: HTTPHeaders = ["location": url(.order, order.id)]
    if ["pending", "processing"].contains(status), let seconds = manners.pollAfter { headers.add(name: "retry-after", value: "\(seconds)") }
    return .json(form, status: code, headers: headers)
  }

  private func names(of form: NewOrder) throws -> Set<String> {
    for identifier in form.identifiers {
      guard identifier.type == "dns", let name = DNSName(identifier.value), name.value == identifier.value else {
        throw Deviation("\(identifier.type) \(identifier.value) is no DNS name in lower case", type: "unsupportedIdentifier")
      }
    }
    let names = Set(form.identifiers.map(\.value))
    guard !names.isEmpty, names.count == form.identifiers.count, names.count <= 100 else {
      throw Deviation("an order has 1 to 100 names, each once; this one has \(form.identifiers.map(\.value))")
    }
    return names
  }

  /// As Let's Encrypt words it; the link has a whole request in it.
  private func checkPauses(_ names: Set<String>) throws {
    guard let paused = names.intersection(manners.pausedNames).min() else { return }
    let link = "https://portal.model.example/sfe/v1/unpause?jwt=\(String(repeating: "eyJhbGciOi", count: 60))"
    throw Refusal(
      "rateLimited", status: 429,
      "Your account is temporarily prevented from requesting certificates for \(paused) and possibly others. Please visit: \(link)")
  }
}

extension Instant {
  /// As RFC 3339 writes it.
  struct Text: Encodable {
    private let text: String
    init(_ instant: Instant) { text = instant.description }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(text)
    }
  }
}
