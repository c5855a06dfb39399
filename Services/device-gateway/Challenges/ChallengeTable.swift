import AppWebsocket
import PKI
import ResponderAPI
import SchedulerAPI

/// Which challenges are live, which devices are to answer them, and what each has said: the rules, without connections, disk or clock.
///
/// A device that said `push` has to confirm its own challenges. Reverse proxies of the same login scope that said `push` are told the challenges for
/// the names they hold; where the device itself does not answer, one of them has to confirm. Everyone who was asked is waited for.
struct ChallengeTable<Session: Hashable & Sendable>: Sendable {
  typealias Verdict = Result<Responder.Publish.Reply, Responder.NotPublished>

  /// What is to be done, in this order.
  enum Action {
    case add(ChallengeAdded, at: Session)
    case remove(ChallengeRemoved, at: Session)
    case answer(ChallengeCall, Verdict)
    /// The roles that must outlive this process have changed.
    case keepRoles
    /// What had to wait for a name may be ordered now.
    case lookAgain
  }

  private let limits: ChallengeLimits
  private var challenges: [ChallengeToken: PushedChallenge<Session>] = [:]
  private var tokens: [DeviceID: Set<ChallengeToken>] = [:]
  private var leaseCount = 0
  private var parts: [Session: ChallengePart] = [:]
  private var sessions: [DeviceID: Session] = [:]
  private var proxies: [String: Set<Session>] = [:]
  private var roles: ChallengeRoles
  /// When a device was last there; those of an earlier process count as having left when this one began.
  private var departures: [DeviceID: Instant] = [:]
  private let began: Instant

  init(limits: ChallengeLimits = ChallengeLimits(), remembering roles: [DeviceID: ChallengeRole] = [:], now: Instant) {
    self.limits = limits
    self.roles = ChallengeRoles(roles, mostHeldNames: limits.heldNames)
    began = now
  }

  /// What must be known after a restart.
  var lastingRoles: [DeviceID: ChallengeRole] { roles.lasting }

  // MARK: What acme-client wants

  /// Which of these names cannot be answered for now, though nobody else could, and why. Who has just gone is not missed: publishing waits for it.
  func obstacles(to names: [DNSName], of device: DeviceID?, now: Instant) -> [Responder.Obstacle] {
    guard let device else { return [] }
    return names.compactMap { name in
      guard let absence = absence(for: name, of: device, now: now), !absence.mayEnd else { return nil }
      return Responder.Obstacle(name: name, reason: absence.reason)
    }
  }

  /// An order wants an answer in place. The call is answered at once, or when those concerned have spoken.
  mutating func publish(_ wish: Responder.Publish.Parameters, as call: ChallengeCall, now: Instant) -> [Action] {
    let expired = leaseCount >= limits.leases ? sweep(now: now) : []
    if let refusal = refusal(of: wish, now: now) { return expired + [.answer(call, .failure(.init(reason: refusal, required: false)))] }
    let device = wish.device.map(DeviceID.init(rawValue:))
    var challenge =
      challenges[wish.token]
      ?? PushedChallenge(name: wish.name, token: wish.token, keyAuthorization: wish.keyAuthorization, device: device)
    if challenge.leases.updateValue(min(wish.expires, now + limits.duration), forKey: wish.order) == nil { leaseCount += 1 }
    challenge.calls[call] = wish.order
    // Told again even if it was told before: the device's hour begins anew.
    challenge.standings = [:]
    challenges[wish.token] = challenge
    if let device { tokens[device, default: []].insert(wish.token) }
    return expired + spread(wish.token) + settle(wish.token, now: now)
  }

  /// An order does not need the answer any more.
  mutating func withdraw(order: String, token: ChallengeToken) -> [Action] {
    guard var challenge = challenges[token], challenge.leases.removeValue(forKey: order) != nil else { return [] }
    leaseCount -= 1
    var actions: [Action] = []
    for call in challenge.calls.filter({ $0.value == order }).keys {
      challenge.calls[call] = nil
      actions.append(.answer(call, .failure(.init(reason: "The answer for \(challenge.name) was withdrawn meanwhile.", required: false))))
    }
    challenges[token] = challenge
    return actions + (challenge.leases.isEmpty ? remove(token) : [])
  }

  /// The caller has gone; the lease stays.
  mutating func forget(_ call: ChallengeCall, about token: ChallengeToken) {
    challenges[token]?.calls[call] = nil
  }

  /// A call must be answered now.
  mutating func timeOver(_ call: ChallengeCall, about token: ChallengeToken, now: Instant) -> [Action] {
    guard let challenge = challenges[token], challenge.calls[call] != nil else { return [] }
    challenges[token]?.calls[call] = nil
    return [.answer(call, verdict(on: challenge, now: now, isFinal: true) ?? .success(.init(.notMine)))]
  }

  /// Ends what nobody has withdrawn in time.
  mutating func sweep(now: Instant) -> [Action] {
    challenges.values.flatMap { challenge in
      challenge.leases.filter { $0.value <= now }.keys.map { (order: $0, token: challenge.token) }
    }.flatMap { withdraw(order: $0.order, token: $0.token) }
  }

  // MARK: What devices do

  /// A device is connected. With a description it takes part; what is live for it is told to it.
  mutating func met(
    _ device: DeviceID, on session: Session, _ identity: DeviceIdentity, saying description: RegisterDevice?, now: Instant
  ) -> [Action] {
    let known = roles[device]
    var role = known ?? ChallengeRole(scope: identity.scope, label: identity.label)
    (role.scope, role.label) = (identity.scope, identity.label)
    if let description { role.take(description) }
    makeRoom()
    let wasLasting = known.map(roles.isLasting) ?? false
    roles.keep(role, of: device)
    var keep: [Action] = known != role && (wasLasting || roles.isLasting(role)) ? [.keepRoles] : []
    guard description != nil else { return keep + (known == nil ? tell(Array(tokens[device] ?? []), now: now) : []) }

    if known?.answersItself == true || role.answersItself, known != role || sessions[device] == nil { keep.append(.lookAgain) }
    forgetPart(of: session)
    if let older = sessions[device] { forgetPart(of: older) }
    let part = ChallengePart(of: device, in: role)
    parts[session] = part
    sessions[device] = session
    departures[device] = nil
    guard !part.proxiedNames.isEmpty else { return keep + tell(Array(tokens[device] ?? []), now: now) }
    proxies[role.scope, default: []].insert(session)
    return keep + tell(Array(challenges.keys), now: now)
  }

  /// A connection has ended.
  mutating func left(_ session: Session, now: Instant) {
    guard let device = parts[session]?.device else { return }
    forgetPart(of: session)
    departures[device] = now
  }

  /// A device has said whether it has an answer in place.
  mutating func answered(_ result: ChallengeAddedResult, by session: Session, now: Instant) -> [Action] {
    guard challenges[result.token]?.standings[session] != nil else { return [] }
    challenges[result.token]?.standings[session] =
      result.error.map { .refused(Self.clipped(result.errorText ?? $0.rawValue)) } ?? .confirmed
    return settle(result.token, now: now)
  }
}

// MARK: - Who is told

extension ChallengeTable {
  private mutating func tell(_ tokens: [ChallengeToken], now: Instant) -> [Action] {
    tokens.flatMap { spread($0) + settle($0, now: now) }
  }

  /// Tells a challenge to all who are to answer it and have not been told.
  private mutating func spread(_ token: ChallengeToken) -> [Action] {
    guard let challenge = challenges[token] else { return [] }
    let untold = recipients(of: challenge).filter { challenge.standings[$0] == nil }
    for session in untold { challenges[token]?.standings[session] = .asked }
    return untold.map { .add(challenge.added, at: $0) }
  }

  private func recipients(of challenge: PushedChallenge<Session>) -> [Session] {
    guard let device = challenge.device, let role = roles[device] else { return [] }
    let own = sessions[device].flatMap { parts[$0]?.mode == .push ? $0 : nil }
    let others = proxies[role.scope, default: []].lazy.filter { $0 != own && parts[$0]?.proxiedNames.contains(challenge.name) == true }
    return (own.map { [$0] } ?? []) + others.prefix(limits.proxies)
  }

  private mutating func remove(_ token: ChallengeToken) -> [Action] {
    guard let challenge = challenges.removeValue(forKey: token) else { return [] }
    if let device = challenge.device {
      tokens[device]?.remove(token)
      if tokens[device]?.isEmpty == true { tokens[device] = nil }
    }
    return challenge.holders.map { .remove(challenge.removed, at: $0) }
  }

  private mutating func forgetPart(of session: Session) {
    guard let part = parts.removeValue(forKey: session) else { return }
    if sessions[part.device] == session { sessions[part.device] = nil }
    if let scope = roles[part.device]?.scope {
      proxies[scope]?.remove(session)
      if proxies[scope]?.isEmpty == true { proxies[scope] = nil }
    }
    let touched = part.proxiedNames.isEmpty ? Array(tokens[part.device] ?? []) : Array(challenges.keys)
    for token in touched { challenges[token]?.standings[session] = nil }
  }

  /// Of more devices than there can be, those that are away are forgotten first.
  private mutating func makeRoom() {
    guard roles.all.count >= limits.roles, let away = roles.all.keys.first(where: { sessions[$0] == nil }) else { return }
    roles.keep(nil, of: away)
    departures[away] = nil
  }
}

// MARK: - What is answered

extension ChallengeTable {
  private mutating func settle(_ token: ChallengeToken, now: Instant) -> [Action] {
    guard let challenge = challenges[token], !challenge.calls.isEmpty, let verdict = verdict(on: challenge, now: now, isFinal: false) else {
      return []
    }
    challenges[token]?.calls = [:]
    return challenge.calls.keys.map { .answer($0, verdict) }
  }

  /// What there is to say; nil while it is worth waiting.
  private func verdict(on challenge: PushedChallenge<Session>, now: Instant, isFinal: Bool) -> Verdict? {
    func failed(_ reason: String) -> Verdict { .failure(.init(reason: reason, required: true)) }
    let (device, name) = (challenge.device, challenge.name)
    let role = device.flatMap { roles[$0] }
    let own = device.flatMap { sessions[$0] }

    if let absence = device.flatMap({ absence(for: name, of: $0, now: now) }) {
      return isFinal || !absence.mayEnd ? failed(absence.reason) : nil
    }
    for case (let session, .refused(let text)) in challenge.standings where session == own {
      return failed("Device \(label(of: session)) cannot answer for \(name) (\(text)); mend that at the device.")
    }
    guard !challenge.standings.isEmpty else { return .success(.init(.notMine)) }
    guard isFinal || !challenge.standings.values.contains(.asked) else { return nil }

    let isInPlace = role?.mode == .push ? own.flatMap { challenge.standings[$0] } == .confirmed : challenge.standings.values.contains(.confirmed)
    if isInPlace { return .success(.init(.inPlace, required: true)) }
    if let silent = challenge.standings.first(where: { $0.value == .asked && (role?.mode != .push || $0.key == own) })?.key {
      return failed(
        "Device \(label(of: silent)) did not confirm within \(limits.confirmation.components.seconds) s that it answers for \(name); "
          + "see that it works, and that it serves what ChallengeAdded tells it.")
    }
    let reasons = challenge.standings.compactMap { session, standing in
      if case .refused(let text) = standing { "device \(label(of: session)): \(text)" } else { nil }
    }
    return failed("No reverse proxy that holds \(name) can answer for it (\(reasons.sorted().joined(separator: ", "))); mend that at the proxy.")
  }

  /// Who has to answer for a name of this device, and is away; `mayEnd` if it may be back in a moment.
  private func absence(for name: DNSName, of device: DeviceID, now: Instant) -> (reason: String, mayEnd: Bool)? {
    guard let role = roles[device] else { return nil }
    if role.answersItself {
      guard sessions[device] == nil else { return nil }
      let doing = role.mode == .push ? "answers challenges for \(name) itself" : "looks challenges for \(name) up over its connection"
      return (
        "Device \(role.label) \(doing) and is not connected; connect it, or have it register with challenge external.", isExpected(device, now: now)
      )
    }
    let holders = roles.proxies(in: role.scope, holding: name).filter { isRemembered($0, now: now) }
    guard !holders.isEmpty, holders.allSatisfy({ sessions[$0] == nil }) else { return nil }
    let labels = holders.compactMap { roles[$0]?.label }.sorted().joined(separator: ", ")
    return (
      "Reverse proxy \(labels), which answers for \(name), is not connected; connect it, or have it register without that name.",
      holders.contains { isExpected($0, now: now) }
    )
  }

  /// Whether a device that is away may be back in a moment: it has just gone, or this process has just begun.
  private func isExpected(_ device: DeviceID, now: Instant) -> Bool { now < (departures[device] ?? began) + limits.absence }

  /// Whether a reverse proxy counts: it is there, or not away for so long that it may be gone for good.
  private func isRemembered(_ device: DeviceID, now: Instant) -> Bool {
    sessions[device] != nil || now < (departures[device] ?? began) + limits.memory
  }

  private func label(of session: Session) -> String { parts[session].flatMap { roles[$0.device]?.label } ?? "that has left" }

  private func refusal(of wish: Responder.Publish.Parameters, now: Instant) -> String? {
    if wish.keyAuthorization.token != wish.token { return "The key authorization for \(wish.name) begins with another token than \(wish.token)." }
    if !(1...limits.orderBytes).contains(wish.order.utf8.count) {
      return "The id of the order for \(wish.name) has not 1 to \(limits.orderBytes) bytes."
    }
    if wish.expires <= now { return "The lease for \(wish.name) ended at \(wish.expires)." }
    if let known = challenges[wish.token] {
      let isSame = known.keyAuthorization == wish.keyAuthorization && known.name == wish.name && known.device?.rawValue == wish.device
      return isSame ? nil : "Token \(wish.token) is live for another name, account key or device than that of \(wish.name); withdraw it there first."
    }
    return leaseCount < limits.leases ? nil : "There are \(limits.leases) leases, and no room for \(wish.name)."
  }

  /// A device's own words, as much of them as fits into a sentence.
  private static func clipped(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(200)))
  }
}
