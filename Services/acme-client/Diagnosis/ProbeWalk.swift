import NIOCore
import NIOHTTP1
import PKI

/// The way from a name's address to an answer, over all redirects.
struct ProbeWalk: Sendable, Equatable {
  /// Where it ended.
  enum End: Sendable, Equatable {
    /// With this, whatever it is.
    case outcome(ProbeOutcome)
    /// A redirect led to where it had been.
    case loop
    /// After ten redirects came another one.
    case tooManyRedirects
    /// A redirect, in the server's words, leads where no CA goes.
    case refusedRedirect(String, ProbeURL.Refusal)
    /// A redirect leads to a name without an address.
    case noAddress(DNSName)
    /// A redirect leads to an address that is not connected to.
    case notAllowed(ProbeURL.Host, IPAddress)
  }

  /// The URLs that were asked for; the first is the challenge's.
  var urls: [ProbeURL]
  var end: End
  var time = Duration.zero
  /// The answer is there for one who asks the same server without a name.
  var isAnsweredWithoutName = false

  /// The last URL that was asked for.
  var last: ProbeURL { urls[urls.count - 1] }
  /// Whether redirects led away from the name.
  var leftName: Bool { last.host != urls[0].host }
}

/// Walks.
struct ProbeWalker: Sendable {
  /// As RFC 8555 leaves it to the CA, and Let's Encrypt has it.
  static let mostRedirects = 10
  /// How long a connection, and all of a walk, may take. CAs wait somewhat longer; nobody should come near.
  static let (connectLimit, limit) = (Duration.seconds(3), Duration.milliseconds(4_500))

  let resolver: Resolver
  let permission: AddressPermission
  let httpPort: Int
  let httpsPort: Int

  /// Asks for `url` at one address of its name, and goes wherever it is led.
  func walk(from url: ProbeURL, at address: IPAddress, expecting: KeyAuthorization) async -> ProbeWalk {
    let start = ContinuousClock.now
    var walk = ProbeWalk(urls: [url], end: .loop)
    var places = [address]
    func rest() -> Duration { Self.limit - (ContinuousClock.now - start) }
    while true {
      var outcome = ProbeOutcome.failure(.silent)
      for place in places {
        outcome = await get(walk.last, at: place, within: rest())
        // A CA tries one more address where there is no connection.
        guard case .failure(let failure) = outcome, failure.isWithoutConnection else { break }
      }
      walk.end = .outcome(outcome)
      walk.time = ContinuousClock.now - start
      guard case .success(let answer) = outcome, answer.isRedirect, let location = answer.headers.first(name: "location") else { break }
      do throws(ProbeURL.Refusal) {
        let next = try walk.last.following(location)
        guard !walk.urls.contains(next) else {
          walk.end = .loop
          return walk
        }
        guard walk.urls.count <= Self.mostRedirects else {
          walk.end = .tooManyRedirects
          return walk
        }
        if next.host == url.host {
          places = [address]
        } else {
          switch await withLimit(rest(), { await self.places(of: next.host) }) {
          case .success(let found): places = found
          case .failure(let stop):
            walk.end = stop.end
            return walk
          case nil:
            places = []
          }
        }
        walk.urls.append(next)
      } catch {
        walk.end = .refusedRedirect(location.shown, error)
        return walk
      }
    }
    if case .outcome(.success(let answer)) = walk.end, (400..<500).contains(answer.status), walk.urls.count == 1,
      case .success(let other) = await get(url.withoutName(at: address), at: address, within: rest())
    {
      walk.isAnsweredWithoutName = other.verdict(expecting) == .right
    }
    return walk
  }

  private func get(_ url: ProbeURL, at address: IPAddress, within limit: Duration) async -> ProbeOutcome {
    guard limit > .zero, let place = try? SocketAddress(address, port: url.port == 443 ? httpsPort : httpPort) else { return .failure(.silent) }
    return await ProbeRequest.get(url, at: place, connectLimit: Self.connectLimit, limit: limit)
  }

  private struct Stop: Error { let end: ProbeWalk.End }

  /// Where a redirect leads: the first IPv6 address, and the first IPv4 address after it.
  private func places(of host: ProbeURL.Host) async -> Result<[IPAddress], Stop> {
    var addresses: [IPAddress]
    switch host {
    case .address(let address): addresses = [address]
    case .name(let name):
      let found = await resolver.addresses(of: name)
      addresses = [found.first(where: \.isIPv6), found.first { !$0.isIPv6 }].compactMap(\.self)
      if addresses.isEmpty { return .failure(Stop(end: .noAddress(name))) }
    }
    let allowed = addresses.filter(permission.allows)
    return allowed.isEmpty ? .failure(Stop(end: .notAllowed(host, addresses[0]))) : .success(allowed)
  }
}

/// Which addresses are connected to: those of the public Internet, and those that a person has listed. Names come from devices, and must not make a
/// scanner of this service.
struct AddressPermission: Sendable, Hashable {
  let networks: [IPNetwork]

  func allows(_ address: IPAddress) -> Bool { address.purpose == .host || networks.contains { $0.contains(address) } }
}
