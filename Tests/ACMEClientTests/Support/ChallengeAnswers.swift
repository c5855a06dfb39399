import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import PKI
import ResponderAPI
import ServiceRuntime
import Synchronization
import Varlink

/// A responder, and the web server for which it answers.
final class ChallengeAnswers: Sendable {
  private struct State {
    var answers: [String: String] = [:]
    var published: [DNSName: Int] = [:]
    /// These are not answered for, for this reason.
    var refused: [DNSName: Responder.NotPublished] = [:]
    /// These are said to be in place, and are not.
    var lost: Set<DNSName> = []
    /// Where the web server listens.
    var port = 0
    /// Who was given the answer to each token.
    var visits: [String: [Responder.Visit]] = [:]
  }

  private let state = Mutex(State())

  /// How often each name was published.
  var published: [DNSName: Int] { state.withLock { $0.published } }
  /// Where the web server listens, once it does.
  var port: Int { state.withLock { $0.port } }
  /// How many answers are in place.
  var count: Int { state.withLock { $0.answers.count } }

  func refuse(_ name: DNSName, _ reason: String, required: Bool) {
    state.withLock { $0.refused[name] = Responder.NotPublished(reason: reason, required: required) }
  }

  func lose(_ name: DNSName) {
    state.withLock { _ = $0.lost.insert(name) }
  }

  func find(_ name: DNSName) {
    state.withLock { _ = $0.lost.remove(name) }
  }

  /// Serves both until it is cancelled; port 0 takes any. `ready` is called when both listen.
  func run(socket: String, port: Int, ready: @escaping @Sendable () -> Void) async throws {
    let web = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.pipeline.configureHTTPServerPipeline().flatMap {
          channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Answer(self)) }
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    state.withLock { $0.port = web.localAddress?.port ?? port }
    let server = VarlinkServer(
      service: VarlinkServiceDescription(vendor: "test", product: "answers", version: "0", url: ""),
      interfaces: [
        VarlinkInterfaceHandlers(
          .responder,
          [
            .reply(Responder.Publish.self) { call, _ in try self.publish(call) },
            .reply(Responder.Withdraw.self) { call, _ in self.withdraw(call) },
          ])
      ],
      listeners: [.path(socket)], logger: Logger(label: "answers") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await server.run() }
      tasks.addTask {
        while !FileManager.default.fileExists(atPath: socket) { try await Task.sleep(for: .milliseconds(2)) }
        ready()
      }
      defer { web.close(promise: nil) }
      try await tasks.waitForAll()
    }
  }

  private func publish(_ call: Responder.Publish.Parameters) throws -> Responder.Publish.Reply {
    try state.withLock { state in
      if let refusal = state.refused[call.name] { throw refusal }
      state.published[call.name, default: 0] += 1
      if !state.lost.contains(call.name) { state.answers[call.token.value] = call.keyAuthorization.value }
      return Responder.Publish.Reply(.inPlace)
    }
  }

  private func withdraw(_ call: Responder.Withdraw.Parameters) -> Responder.Withdraw.Reply {
    state.withLock { state in
      state.answers[call.token.value] = nil
      return Responder.Withdraw.Reply(visits: state.visits[call.token.value] ?? [])
    }
  }

  private final class Answer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answers: ChallengeAnswers

    init(_ answers: ChallengeAnswers) { self.answers = answers }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard case .head(let head) = unwrapInboundIn(data) else { return }
      let token = head.uri.split(separator: "/").last.map(String.init) ?? ""
      let visit = Responder.Visit(address: context.remoteAddress?.ipAddress ?? "", time: WallClock.system.now())
      let answer = answers.state.withLock { state in
        if state.answers[token] != nil { state.visits[token, default: []].append(visit) }
        return state.answers[token]
      }
      let body = ByteBuffer(string: answer ?? "")
      let response = HTTPResponseHead(
        version: head.version, status: answer == nil ? .notFound : .ok, headers: ["content-length": "\(body.readableBytes)"])
      context.write(wrapOutboundOut(.head(response)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
