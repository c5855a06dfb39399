import ACMEClientAPI
import PKI
import Synchronization
import Telemetry
import Varlink

/// An acme-client that obeys the test, served over a real socket.
final class StandInClient: Sendable {
  /// What happens to a call of Issue.
  enum Behaviour: Sendable {
    case issue(days: Int = 90)
    case fail(Problem)
    /// Answers nothing until the caller goes away.
    case stall
    /// Ends the call as a service does that is being restarted, and issues the next time.
    case restartOnce
    /// A certificate for a key of its own.
    case wrongCertificate
  }

  struct State {
    var behaviour = Behaviour.issue()
    var behaviours: [DNSName: Behaviour] = [:]
    /// What is said of renewal.
    var renewalInfo: Result<ACMEClient.GetRenewalInfo.Reply, ACMEClient.Failed> = .success(.init(supported: false))
    /// How far the CA's clock is ahead, where its orders show it.
    var orderClock: Duration?
    /// What is seen at names.
    var sightings: [ACMEClient.Sighting] = []
    /// Where was looked.
    var observed: [ACMEClient.Observe.Parameters] = []
    /// What the doctor finds at a name; nothing at others.
    var findings: [DNSName: [Finding]] = [:]
    /// What the doctor was asked.
    var examined: [ACMEClient.Diagnose.Parameters] = []
    /// The certificates about which was asked.
    var inquiries: [String] = []
    var issued: [String] = []
    /// Who issues.
    var authority = TestAuthority()
    /// What each order replaces.
    var replaced: [String?] = []
    var directories: [String] = []
    var released: [String] = []
    /// The reasons for which certificates were revoked.
    var revoked: [Int?] = []
    /// What is answered to Revoke.
    var revocation: ACMEClient.Failed?
    var traces: [String?] = []
    var traced: [[TraceCategory]?] = []
    var underWay = 0
    var most = 0
  }

  let state = Mutex(State())
  private let clock: WallClock

  init(clock: WallClock) {
    self.clock = clock
  }

  /// Names what happens to a name, or to all.
  func set(_ behaviour: Behaviour, for name: DNSName? = nil) {
    state.withLock { state in
      if let name { state.behaviours[name] = behaviour } else { state.behaviour = behaviour }
    }
  }

  /// How often Issue was called for a request.
  func calls(for request: String) -> Int { state.withLock { $0.issued.filter { $0 == request }.count } }

  var interface: VarlinkInterfaceHandlers {
    let issue = VarlinkHandler.stream(ACMEClient.Issue.self) { call, _, replies in
      let csr = try SigningRequest(call.csr)
      let behaviour = self.state.withLock { state in
        state.issued.append(call.request)
        state.replaced.append(call.replaces)
        state.directories.append(call.authority.directory)
        state.traces.append(call.trace?.traceID)
        state.traced.append(call.traced)
        state.underWay += 1
        state.most = max(state.most, state.underWay)
        defer { if case .restartOnce = state.behaviour { state.behaviour = .issue() } }
        return state.behaviours[csr.names[0]] ?? state.behaviour
      }
      defer { self.state.withLock { $0.underWay -= 1 } }
      try await replies.send(.init(.ordering))
      let date = self.state.withLock(\.orderClock).map { self.clock.now() + $0 }
      switch behaviour {
      case .issue(let days):
        try await replies.send(.init(.challenging, name: csr.names[0], date: date))
        try await replies.send(.init(.finalizing))
        return .init(
          .issued, chain: try self.state.withLock(\.authority).chain(for: csr, from: self.clock.now(), days: days), newOrders: 1, date: date)
      case .fail(let problem):
        throw ACMEClient.Failed(problem)
      case .stall:
        try await Task.sleep(for: .seconds(3_600))
        throw CancellationError()
      case .restartOnce:
        throw Restarting()
      case .wrongCertificate:
        return .init(
          .issued, chain: try self.state.withLock(\.authority).chain(for: makeCSR("other.example.net"), from: self.clock.now(), days: 90),
          newOrders: 1)
      }
    }
    let release = VarlinkHandler.reply(ACMEClient.Release.self) { call, _ in
      self.state.withLock { $0.released.append(call.request) }
      return .init()
    }
    let describe = VarlinkHandler.reply(ACMEClient.DescribeAuthority.self) { call, _ in
      guard call.authority.directory.hasPrefix("https://acme.test") else {
        throw ACMEClient.Failed(Problem(.caUnavailable, "\(call.authority.directory) cannot be reached."))
      }
      return .init(
        description: AuthorityDescription(
          directory: call.authority.directory, termsOfService: "https://acme.test/terms", website: call.authority.trustRoots, caaIdentities: [],
          externalAccountRequired: false, profiles: [:], renewalInfo: true, date: self.clock.now()))
    }
    let renewalInfo = VarlinkHandler.reply(ACMEClient.GetRenewalInfo.self) { call, _ in
      try self.state.withLock { state in
        state.inquiries.append(call.certificate)
        return try state.renewalInfo.get()
      }
    }
    let observe = VarlinkHandler.reply(ACMEClient.Observe.self) { call, _ in
      self.state.withLock { state in
        state.observed.append(call)
        return .init(sightings: state.sightings)
      }
    }
    let diagnose = VarlinkHandler.stream(ACMEClient.Diagnose.self) { call, _, replies in
      let findings = self.state.withLock { state in
        state.examined.append(call)
        return state.findings
      }
      let all = call.candidates.map { candidate in
        ACMEClient.Diagnose.Reply(
          name: candidate.name,
          findings: findings[candidate.name] ?? [Finding(.answered, .fine, name: candidate.name, address: "192.0.2.1", text: "It answers.")])
      }
      for reply in all.dropLast() { try await replies.send(reply) }
      return all[all.count - 1]
    }
    let revoke = VarlinkHandler.reply(ACMEClient.Revoke.self) { call, _ in
      try self.state.withLock { state in
        if let failed = state.revocation { throw failed }
        state.revoked.append(call.reason)
        return .init()
      }
    }
    return VarlinkInterfaceHandlers(.acmeClient, [issue, release, describe, renewalInfo, revoke, observe, diagnose])
  }
}
