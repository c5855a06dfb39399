import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import ServiceRuntime

/// Requests over async-http-client: HTTP/2 where the CA has it, else HTTP/1.1.
struct HTTPTransport: Transport {
  /// How long one answer may take, from the request to the last byte. Some CAs validate and sign within the request.
  static let timeLimit = Duration.seconds(60)
  /// RFC 8555, section 6.1: who we are, and what we are made with.
  private static let userAgent = "acme-connector/\(Product.version) async-http-client"

  private let client: HTTPClient
  private let timeLimit: Duration

  /// - Parameters:
  ///   - trustRoots: The path of a PEM file instead of the system's roots.
  ///   - proxy: Where to go through.
  init(trustRoots: String?, proxy: ProxyEnvironment.Proxy?, timeLimit: Duration = timeLimit) {
    self.timeLimit = timeLimit
    var tls = TLSConfiguration.makeClientConfiguration()
    if let trustRoots { tls.trustRoots = .file(trustRoots) }
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
    configuration.timeout = .init(connect: .seconds(10), read: TimeAmount(timeLimit))
    // A CA that is down is said to be down at once; whoever asked decides when to ask again.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = OrderRunner.requestsInFlight
    configuration.proxy = proxy.map { proxy in
      let authorization = proxy.user.map { HTTPClient.Authorization.basic(username: $0, password: proxy.password ?? "") }
      return .server(host: proxy.host, port: proxy.port, authorization: authorization)
    }
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func send(_ request: Request) async throws -> Response {
    var outgoing = HTTPClientRequest(url: request.url.value)
    outgoing.method = request.method
    outgoing.headers = request.headers
    outgoing.headers.replaceOrAdd(name: "user-agent", value: Self.userAgent)
    outgoing.headers.replaceOrAdd(name: "accept-language", value: "en")
    if !request.body.isEmpty { outgoing.body = .bytes(request.body) }
    do {
      return try await exchange(outgoing, limit: request.limit)
    } catch {
      try Task.checkCancellation()
      throw ACMEError(transport: error, to: request.url)
    }
  }

  /// One limit around it all: the client's own ends with the head, and its read timeout begins anew with every byte.
  private func exchange(_ request: HTTPClientRequest, limit: Int) async throws -> Response {
    try await withThrowingTaskGroup(of: Response?.self) { tasks in
      defer { tasks.cancelAll() }
      tasks.addTask {
        let response = try await client.execute(request, timeout: TimeAmount(timeLimit))
        let body = try await response.body.collect(upTo: limit)
        return Response(status: Int(response.status.code), headers: response.headers, body: Array(body.readableBytesView))
      }
      tasks.addTask {
        try await Task.sleep(for: timeLimit)
        return nil
      }
      guard case let response?? = try await tasks.next() else { throw HTTPClientError.deadlineExceeded }
      return response
    }
  }

  /// Closes the connections.
  func shutdown() async {
    try? await client.shutdown()
  }
}

extension ACMEError {
  /// What a failed exchange means.
  fileprivate init(transport error: any Error, to url: ResourceURL) {
    switch error {
    case let error as HTTPClientError where Self.timeouts.contains(error):
      self.init(.timedOut, url.value, "the CA did not answer in time (\(error.shortDescription)); it or the way to it is slow, try later")
    case is NIOTooManyBytesError:
      self.init(.badAnswer, url.value, "the CA's answer is larger than makes sense here")
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
      let isUntrusted = "\(error)".contains("CERTIFICATE_VERIFY_FAILED")
      let cause = isUntrusted ? "its certificate is not from a trusted authority, or not valid now" : "the handshake failed"
      self.init(.untrusted, url.value, "no TLS connection to the CA (\(cause)); where it has a private root, name it in authority.trustRoots")
    case let error as HTTPClientError:
      self.init(.unreachable, url.value, "the CA cannot be reached (\(error.shortDescription)); see to network, name resolution and proxy")
    default:
      self.init(.unreachable, url.value, "the CA cannot be reached (\(Self.cause(of: error))); see to network, name resolution and proxy")
    }
    isUnsent =
      switch error {
      case is NIOConnectionError: true
      case let error as HTTPClientError: Self.connectFailures.contains(error)
      default: false
      }
  }

  private static func cause(of error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError: error.connectionErrors.first.map { cause(of: $0.error) } ?? "there is no host of this name"
    case let error as IOError: String(cString: strerror(error.errnoCode))
    default: "\(error)"
    }
  }

  /// These come before the request has a connection.
  private static let connectFailures: [HTTPClientError] = [
    .connectTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout, .getConnectionFromPoolTimeout,
  ]

  private static let timeouts: [HTTPClientError] = [
    .readTimeout, .writeTimeout, .connectTimeout, .deadlineExceeded, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout, .getConnectionFromPoolTimeout,
  ]
}
