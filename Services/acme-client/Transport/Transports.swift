import Glibc
import NIOSSL
import ServiceLifecycle

/// The ways to the CAs: one client for each set of trust roots and each proxy, kept while the process lives.
actor Transports: Service {
  private struct Way: Hashable {
    let trustRoots: String?
    /// Roots that were replaced on disk are read anew.
    let changed: Int?
    let proxy: ProxyEnvironment.Proxy?
  }

  private let proxies: ProxyEnvironment
  private var transports: [Way: HTTPTransport] = [:]

  init(proxies: ProxyEnvironment) {
    self.proxies = proxies
  }

  /// The way to a CA.
  /// - Throws: an ``ACMEError`` when the trust roots are not there.
  func transport(to url: ResourceURL, trustRoots: String?) throws -> any Transport {
    let changed = try trustRoots.map { path in
      var status = stat()
      guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
        throw ACMEError(.badAuthority, path, "the trust roots of the authority cannot be read; see to authority.trustRoots")
      }
      return status.st_mtim.tv_sec
    }
    let way = Way(trustRoots: trustRoots, changed: changed, proxy: proxies.proxy(for: url.host))
    if let transport = transports[way] { return transport }
    if let trustRoots, (try? NIOSSLCertificate.fromPEMFile(trustRoots))?.isEmpty != false {
      throw ACMEError(.badAuthority, trustRoots, "there is no certificate in the trust roots of the authority; see to authority.trustRoots")
    }
    let transport = HTTPTransport(trustRoots: trustRoots, proxy: way.proxy)
    transports[way] = transport
    return transport
  }

  /// Waits for the end of the process and closes the connections.
  func run() async throws {
    try? await gracefulShutdown()
    for transport in transports.values { await transport.shutdown() }
    transports = [:]
  }
}
