import PKI

/// Where a visitor comes from, as far as that is known.
struct Origin: Hashable, Sendable {
  let address: PeerAddress
  /// Whether many may come from that address: it is a reverse proxy's, which did not say for whom it asks.
  let isShared: Bool

  /// So many proxies in a row make sense.
  private static let mostHops = 32

  init(address: PeerAddress, isShared: Bool) {
    self.address = address
    self.isShared = isShared
  }

  /// Goes back along the way that the request has come, as each proxy has noted whom it was asked by, for as long as the proxies are trusted: what
  /// stands before the first one who is not may be that one's invention.
  ///
  /// - Parameters:
  ///   - peer: who is connected.
  ///   - hops: the entries of X-Forwarded-For, the nearest last.
  init(of peer: PeerAddress, askingFor hops: [Substring], trusted: (PeerAddress) -> Bool) {
    guard trusted(peer) else {
      // A reverse proxy on this machine that nobody has named.
      self.init(address: peer, isShared: peer.isLoopback)
      return
    }
    var nearest = peer
    for hop in hops.suffix(Self.mostHops).reversed() {
      guard let address = IPAddress(forwardedFor: hop).map(PeerAddress.init) else { break }
      guard trusted(address) else {
        self.init(address: address, isShared: false)
        return
      }
      nearest = address
    }
    self.init(address: nearest, isShared: true)
  }
}
