import AppWebsocket
import DeviceGatewayAPI
import Logging
import NIOCore
import NIOEmbedded
import NIOWebSocket
import PKI
import RawSocket
import ServiceRuntime
import Testing
import Varlink

@testable import DeviceGateway

@Suite("A login that ends")
struct EndedLoginTests {
  private let book: LoginBook
  private let authenticator: Authenticator
  private let devices = Devices()
  /// What happens when somebody next asks for the time; the authenticator does when it has looked into its book.
  private let meanwhile: Box<@Sendable () -> Void>
  private let context: SessionContext
  private let ended: EndedLogins

  init() throws {
    var book = LoginBook()
    for name in ["a", "b"] {
      _ = try book.add(
        StoredLogin(
          name: try #require(LoginName(name)), scope: .instance, kind: .device, nameSuffixes: [],
          secrets: [.init(secret: try #require(LoginSecret("secret of \(name)")), createdAt: .earliest)]))
    }
    let meanwhile = Box<@Sendable () -> Void>()
    let clock = WallClock {
      let action = meanwhile.value
      meanwhile.value = nil
      action?()
      return WallClock.system.now()
    }
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    self.book = book
    self.meanwhile = meanwhile
    let folder = try TemporaryFolder()
    let nobody = VarlinkClient(path: "/nonexistent")
    let environment = ServiceEnvironment(name: "device-gateway", variables: ["STATE_DIRECTORY": folder.path])
    authenticator = Authenticator(book, knownClients: KnownClients(in: folder.url("")), clock: clock)
    context = SessionContext(
      authenticator: authenticator, devices: devices,
      errands: Errands(scheduler: SchedulerClient(scheduler: nobody, logger: logger), devices: devices),
      challenges: try PushedChallenges(ChallengeRolesFile(in: environment), clock: .system, logger: logger),
      lookups: ChallengeLookups(at: nobody, logger: logger), path: .standard, pin: try SigningKey(.p256).keyPin, limits: DoorLimits(), clock: clock,
      logger: logger, attendance: Attendance(of: devices))
    ended = EndedLogins(authenticator: authenticator, devices: devices, clock: clock, eventLoop: EmbeddedEventLoop())
  }

  /// Logs in by the login `a` on a connection of its own.
  private func logIn() throws -> (channel: EmbeddedChannel, result: AppLoginResult) {
    let channel = EmbeddedChannel()
    let origin = try Origin("192.0.2.7")
    let connections = Connections(limits: DoorLimits(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let id = try #require(connections.admit(channel, from: origin))
    let session = DeviceSession(in: context, on: channel.eventLoop)
    try channel.pipeline.syncOperations.addHandler(Connection(id, from: origin, among: connections, conversation: session))
    session.received(AppChallenge().text)
    let challenge = try AppChallengeResult(from: Envelope(sent(by: channel))).challenge
    session.received(Login(.init(app: "test", domain: "", sip: "1"), info: nil, challenge: challenge, password: "secret of a").text)
    return (channel, try AppLoginResult(from: Envelope(sent(by: channel))))
  }

  private func sent(by channel: EmbeddedChannel) throws -> String {
    String(buffer: try #require(try channel.readOutbound(as: WebSocketFrame.self)).unmaskedData)
  }

  private func remove() throws -> @Sendable () -> Void {
    var without = book
    try without.remove(try #require(LoginName("a")))
    return { [authenticator, ended, without] in
      authenticator.replace(without)
      ended.closeConnections()
    }
  }

  @Test("while its secret is being looked for opens no door")
  func whileProved() throws {
    meanwhile.value = try remove()
    let result = try logIn().result
    #expect(result == .refused(.loginRefused, retryAfterSec: nil))
    let book = authenticator.book
    #expect(book.sorted.map(\.name.value) == ["b"])
  }

  @Test("closes what it has opened")
  func afterwards() throws {
    let (channel, result) = try logIn()
    #expect(result == .accepted(domain: ""))
    try remove()()
    channel.embeddedEventLoop.run()
    #expect(try channel.readOutbound(as: WebSocketFrame.self)?.opcode == .connectionClose)
  }
}
