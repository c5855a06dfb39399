import ACMEClientAPI
import NIOCore
import NIOPosix
import NIOSSL
import PKI

/// Looks which certificate the servers of a name serve, as everybody sees it who connects. A handshake is all that is made: no trust is needed to see a
/// certificate, and nothing is sent.
struct Observer: Sendable {
  /// How many connections there are at a time.
  private static let places = 8
  /// How many addresses of a name are looked at.
  private static let mostAddresses = 4
  /// How long a connection, and the handshake after it, may take.
  private static let (connectLimit, handshakeLimit) = (TimeAmount.seconds(5), TimeAmount.seconds(10))

  private let places = Semaphore(Self.places)

  /// Serves ``ACMEClient/Observe``.
  func observe(_ call: ACMEClient.Observe.Parameters) async throws -> ACMEClient.Observe.Reply {
    guard (1...65_535).contains(call.port) else {
      throw ACMEClient.Failed(Problem(.internalError, "There is no port \(call.port).", final: true))
    }
    let addresses = try await places.withPermit { try await SocketAddress.resolving(call.name, port: call.port) }
    var sightings: [ACMEClient.Sighting] = []
    for address in addresses.prefix(Self.mostAddresses) {
      let shown = address.ipAddress ?? "\(address)"
      guard call.privateAddresses || address.isPublic else {
        sightings.append(.init(address: shown, text: "It is no public address."))
        continue
      }
      do {
        sightings.append(.init(address: shown, fingerprint: try await places.withPermit { try await Self.leaf(of: call.name, at: address) }))
      } catch {
        try Task.checkCancellation()
        sightings.append(.init(address: shown, text: "No TLS server answers there (\(error))."))
      }
    }
    return .init(sightings: sightings)
  }

  private struct NoCertificate: Error {}

  private static func leaf(of name: DNSName, at address: SocketAddress) async throws -> Fingerprint {
    let context = try NIOSSLContext(configuration: .makeClientConfiguration())
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let seen = eventLoop.makePromise(of: Fingerprint.self)
    let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(connectLimit).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let handler = try NIOSSLClientHandler(context: context, serverHostname: name.value) { chain, verdict in
          // Whatever it is, it is what is served.
          if let leaf = chain.first, let der = try? leaf.toDERBytes() { seen.succeed(Fingerprint(of: der)) } else { seen.fail(NoCertificate()) }
          verdict.succeed(.certificateVerified)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
      }
    }
    let channel: any Channel
    do {
      channel = try await bootstrap.connect(to: address).get()
    } catch {
      seen.fail(error)
      throw error
    }
    channel.closeFuture.whenComplete { _ in seen.fail(NoCertificate()) }
    let limit = eventLoop.scheduleTask(in: handshakeLimit) { seen.fail(NoCertificate()) }
    defer {
      limit.cancel()
      channel.close(promise: nil)
    }
    return try await seen.futureResult.get()
  }
}
