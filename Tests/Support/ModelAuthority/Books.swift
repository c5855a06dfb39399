import NIOHTTP1
import PKI

/// All that the CA knows. A request goes in, an answer comes out; what takes time, the validations, is handed out.
struct Books: Sendable {
  /// The URL before every path.
  let base: String
  let issuer: Issuer
  var manners: Manners
  var script = FaultScript()
  var report = Report()
  var nonces = Nonces()
  var ledger = Ledger()
  var patience = Patience()
  var accounts: [String: AccountObject] = [:]
  var orders: [String: OrderObject] = [:]
  var authorizations: [String: AuthorizationObject] = [:]
  var certificates: [String: CertificateObject] = [:]
  /// What is said about certificates by their identifier, instead of the usual.
  var renewalAnswers: [String: RenewalAnswer] = [:]
  /// Validations that have been asked for and are not under way.
  var started: [Validation] = []
  private var count = 0

  init(base: String, issuer: Issuer, manners: Manners) {
    self.base = base
    self.issuer = issuer
    self.manners = manners
  }

  /// An id that nobody can guess from another.
  mutating func makeID() -> String {
    count += 1
    return "\(count)-\(String(UInt32.random(in: 0 ... .max), radix: 36))"
  }

  func url(_ resource: Resource, _ id: String? = nil) -> String { "\(base)/\(resource.rawValue)" + (id.map { "/\($0)" } ?? "") }

  /// Answers one request.
  mutating func answer(_ request: Incoming, now: Instant) -> Answer {
    // People copy a directory's URL or its parent's, so that a client may look below it.
    if request.path.hasPrefix("/\(Resource.directory.rawValue)/") { return .page(status: 404) }
    guard let route = Route(path: request.path) else {
      report.deviations.append("\(request.method) \(request.path): there is nothing there")
      return .page(status: 404)
    }
    report.requests[route.resource, default: 0] += 1
    if route.resource != .renewalInfo, let early = patience.impatience(request.path, now: now) {
      report.deviations.append("\(route.resource.rawValue): asked \(early) ms before the time that Retry-After gave (section 7.5.1)")
    }
    let fault = script.next(at: route.resource)
    var answer = reply(to: request, route, fault, now: now)
    patience.heed(answer, to: request.path, now: now)
    if route.resource != .directory, route.resource != .renewalInfo { answer.headers.add(name: "replay-nonce", value: nonces.make()) }
    answer.headers.add(name: "link", value: "<\(url(.directory))>;rel=\"index\"")
    return fault?.distort(answer) ?? answer
  }

  private mutating func reply(to request: Incoming, _ route: Route, _ fault: Fault?, now: Instant) -> Answer {
    do {
      guard request.headers.first(name: "user-agent")?.isEmpty == false else { throw Deviation("no User-Agent (section 6.1)") }
      if route.resource.isPublic {
        guard request.body.isEmpty else { throw Deviation("a GET with a body") }
        return fault?.isServed == false ? Answer(status: 200) : try serve(route, request, now: now)
      }
      let signed = try verify(request, at: route.resource)
      return fault?.isServed == false ? Answer(status: 200) : try serve(route, signed, fault, now: now)
    } catch let refusal as Refusal {
      return refusal.answer
    } catch let deviation as Deviation {
      report.deviations.append("\(route.resource.rawValue): \(deviation.refusal.detail)")
      return deviation.refusal.answer
    } catch {
      return Refusal("serverInternal", status: 500, "\(error)").answer
    }
  }

  private func serve(_ route: Route, _ request: Incoming, now: Instant) throws -> Answer {
    switch route.resource {
    case .newNonce: try newNonce(request)
    case .renewalInfo: try renewalInfo(route.id, request, now: now)
    default: try directory(request)
    }
  }

  private mutating func serve(_ route: Route, _ request: SignedRequest, _ fault: Fault?, now: Instant) throws -> Answer {
    let mistake: Fault.ChainMistake? = if case .chain(let mistake) = fault { mistake } else { nil }
    switch route.resource {
    case .newAccount: return try newAccount(request)
    case .account: return try account(route.id, request)
    case .keyChange: return try changeKey(request)
    case .orders: return try orders(of: route.id, request, now: now)
    case .newOrder: return try newOrder(request, now: now)
    case .order:
      var (order, answer) = try order(route.id, request, now: now)
      order.processingAnswers -= order.processingAnswers > 0 ? 1 : 0
      orders[route.id] = order
      return answer
    case .authorization: return try authorization(route.id, request, now: now)
    case .challenge:
      patience.release("/\(Resource.authorization.rawValue)/\(route.id)")
      return try challenge(route.id, request, now: now)
    case .finalize:
      patience.release("/\(Resource.order.rawValue)/\(route.id)")
      return try finalize(route.id, request, mistake, now: now)
    case .certificate: return try certificate(route.id, request, mistake)
    case .revokeCert: return try revoke(request)
    case .directory, .newNonce, .renewalInfo: throw Deviation("\(route.resource.rawValue) takes no JWS", status: 405)
    }
  }
}
