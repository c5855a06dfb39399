import AppWebsocket
import PKI
import Testing

@testable import ACMEDeviceCommand

@Suite("How a device answers challenges")
struct ChallengeMachineTests {
  private let fixture: MachineFixture
  private let token: ChallengeToken
  private let wish: ChallengeAdded
  private let question = ChallengeQuestion(number: 7)

  init() throws {
    fixture = try MachineFixture()
    token = try #require(ChallengeToken("token"))
    wish = ChallengeAdded(dns: try #require(DNSName("a.example")), token: token, keyAuth: KeyAuthorization(token: token, thumbprint: "thumbprint"))
  }

  @Test("it registers how it answers, and that it is a reverse proxy", arguments: [ServedChallenges.Way.none, .push, .lookup])
  func registration(way: ServedChallenges.Way) throws {
    var device = device(way, isReverseProxy: true)
    _ = device.handle(.started)
    let text = try #require(device.handle(.loggedIn).messages.first)
    let message = try RegisterDevice(from: Envelope(text))
    #expect(message.challenge == way.mode && message.roles == [.reverseProxy] && message.dnsNames == ["a.example", "b.example"])
  }

  @Test("a challenge is served, and confirmed only when it is in place")
  func pushed() {
    var device = registered(.push)
    let correlation = Correlation(src: "r") ?? .none
    let actions = device.handle(.received(.challengeAdded(wish), correlation))
    #expect(actions == [.start(.challenge(token), after: .seconds(3600)), .challenge(.serve(wish.keyAuth, token: token))])
    #expect(answer(device.handle(.asked(question, host: nil, token: token))) == .none, "not in place yet")
    #expect(device.handle(.served(token, failure: nil)) == [.send(ChallengeAddedResult(token: token).text(correlation: correlation))])
    #expect(answer(device.handle(.asked(question, host: nil, token: token))) == wish.keyAuth)
  }

  @Test("a removed challenge is served no more")
  func removed() {
    var device = serving()
    #expect(device.handle(.received(.challengeRemoved(.init(dns: wish.dns, token: token)), .none)) == [.challenge(.stopServing(token))])
    #expect(answer(device.handle(.asked(question, host: nil, token: token))) == .none)
    #expect(device.handle(.received(.challengeRemoved(.init(dns: wish.dns, token: token)), .none)).isEmpty)
  }

  @Test("a challenge that was removed before it was in place is taken away again")
  func removedEarly() {
    var device = registered(.push)
    _ = device.handle(.received(.challengeAdded(wish), .none))
    _ = device.handle(.received(.challengeRemoved(.init(dns: wish.dns, token: token)), .none))
    #expect(device.handle(.served(token, failure: nil)) == [.challenge(.stopServing(token))])
  }

  @Test("what cannot be served is told to the connector with its reason, and not confirmed")
  func failed() throws {
    var device = registered(.push)
    _ = device.handle(.received(.challengeAdded(wish), .none))
    let text = try #require(device.handle(.served(token, failure: "The disk is full.")).messages.first)
    let result = try ChallengeAddedResult(from: Envelope(text))
    #expect(result.error == .internalError && result.errorText == "The disk is full.")
  }

  @Test("a challenge that nobody removes ends after an hour, told again or not an hour after the last time")
  func expired() {
    var device = serving()
    device.now = device.now + .seconds(1800)
    _ = device.handle(.received(.challengeAdded(wish), .none))
    device.now = device.now + .seconds(1800)
    #expect(device.handle(.fired(.challenge(token))) == [.start(.challenge(token), after: .seconds(1800))])
    device.now = device.now + .seconds(1800)
    #expect(device.handle(.fired(.challenge(token))) == [.challenge(.stopServing(token))])
  }

  @Test("a challenge is served on while the connection is down")
  func disconnected() {
    var device = serving()
    _ = device.handle(.disconnected(.closed(code: nil)))
    #expect(answer(device.handle(.asked(question, host: nil, token: token))) == wish.keyAuth)
  }

  @Test("a device serves no more challenges than it has room for, and none with another token's key authorization")
  func bounds() throws {
    var device = registered(.push)
    for number in 0..<ServedChallenges.most {
      let token = try #require(ChallengeToken("t\(number)"))
      let one = ChallengeAdded(dns: wish.dns, token: token, keyAuth: KeyAuthorization(token: token, thumbprint: "x"))
      #expect(device.handle(.received(.challengeAdded(one), .none)).contains(.challenge(.serve(one.keyAuth, token: token))))
    }
    #expect(try error(device.handle(.received(.challengeAdded(wish), .none))) == .busy)
    let token = try #require(ChallengeToken("t1"))
    let forged = ChallengeAdded(dns: wish.dns, token: token, keyAuth: wish.keyAuth)
    #expect(try error(device.handle(.received(.challengeAdded(forged), .none))) == .badMessage)
  }

  @Test("a device that serves nothing says so", arguments: [ServedChallenges.Way.none, .lookup])
  func nothing(way: ServedChallenges.Way) throws {
    var device = registered(way)
    #expect(try error(device.handle(.received(.challengeAdded(wish), .none))) == .notAllowed)
  }

  @Test("a reverse proxy asks the connector for each request, and answers what it is told")
  func lookedUp() {
    var device = registered(.lookup)
    let actions = device.handle(.asked(question, host: "a.example", token: token))
    let message = GetChallenge(host: "a.example", token: "token").text(correlation: question.correlation)
    #expect(actions == [.send(message), .start(.question(question), after: ServedChallenges.questionLimit)])
    #expect(answer(device.handle(.received(.getChallengeResult(.init(wish.keyAuth)), question.correlation))) == wish.keyAuth)
    #expect(device.handle(.fired(.question(question))).isEmpty)
  }

  @Test("what the connector does not know, refuses or does not answer in time is answered with nothing")
  func notFound() {
    var device = registered(.lookup)
    let refusal = ConnectorMessage.refusal(Refusal(of: GetChallenge.name, .busy, ""))
    for event in [
      DeviceEvent.received(.getChallengeResult(.init(nil)), question.correlation), .received(refusal, question.correlation),
      .fired(.question(question)),
    ] {
      _ = device.handle(.asked(question, host: nil, token: token))
      #expect(device.handle(event).first == .challenge(.answer(question, nil)))
    }
  }

  @Test("what was asked when the connection ended, or while there was none, is asked on the next one, for as long as the CA waits")
  func askedAgain() {
    var device = registered(.lookup)
    let later = ChallengeQuestion(number: 8)
    _ = device.handle(.asked(question, host: nil, token: token))
    #expect(device.handle(.disconnected(.closed(code: 1001))).allSatisfy { if case .challenge = $0 { false } else { true } })
    #expect(device.handle(.asked(later, host: nil, token: token)) == [.start(.question(later), after: ServedChallenges.questionLimit)])
    #expect(device.handle(.loggedIn).sent.sorted() == ["GetChallenge", "GetChallenge", "RegisterDevice"])
    #expect(answer(device.handle(.received(.getChallengeResult(.init(wish.keyAuth)), later.correlation))) == wish.keyAuth)
    #expect(device.handle(.fired(.question(question))) == [.challenge(.answer(question, nil))])
    #expect(device.handle(.loggedIn).sent == ["RegisterDevice"])
  }

  @Test("only so many questions are on their way")
  func questions() {
    var device = registered(.lookup)
    for number in 0..<UInt64(ServedChallenges.mostQuestions) {
      #expect(device.handle(.asked(ChallengeQuestion(number: number), host: nil, token: token)).sent == ["GetChallenge"])
    }
    #expect(device.handle(.asked(ChallengeQuestion(number: 1000), host: nil, token: token)).sent.isEmpty)
  }

  private func device(_ way: ServedChallenges.Way, isReverseProxy: Bool = false) -> TestDevice {
    var wishes = fixture.wishes
    wishes.challenges = way
    wishes.isReverseProxy = isReverseProxy
    return TestDevice(machine: DeviceMachine(wishes), now: fixture.now, registration: fixture.registered)
  }

  private func registered(_ way: ServedChallenges.Way) -> TestDevice {
    var device = device(way)
    _ = device.registered()
    return device
  }

  private func serving() -> TestDevice {
    var device = registered(.push)
    _ = device.handle(.received(.challengeAdded(wish), .none))
    _ = device.handle(.served(token, failure: nil))
    return device
  }

  private func answer(_ actions: [DeviceAction]) -> KeyAuthorization? {
    for case .challenge(.answer(_, let keyAuthorization)) in actions { return keyAuthorization }
    return nil
  }

  private func error(_ actions: [DeviceAction]) throws -> ErrorToken? {
    try actions.messages.first.map { try ChallengeAddedResult(from: Envelope($0)).error } ?? nil
  }
}
