import FoundationEssentials
import Logging
import NIOHTTP1
import PKI

/// Finds and remembers the directories of the CAs. One is read again when it is an hour old, and after a failure.
actor Directories {
  /// How long a directory is taken for true.
  static let maximumAge = Duration.seconds(3600)

  private struct Place: Hashable {
    let address: String
    let trustRoots: String?
  }

  private let transports: Transports
  private let clock: WallClock
  private let logger: Logger
  private let reading = KeyedMutex<Place>()
  private var found: [Place: (connection: AuthorityConnection, at: Instant)] = [:]
  private var nonces: [ResourceURL: NoncePool] = [:]

  init(transports: Transports, clock: WallClock, logger: Logger) {
    self.transports = transports
    self.clock = clock
    self.logger = logger
  }

  /// The connection to a CA.
  func connection(to address: String, trustRoots: String?) async throws -> AuthorityConnection {
    let place = Place(address: address, trustRoots: trustRoots)
    if let known = young(place) { return known }
    return try await reading.withLock(place) {
      if let known = await self.young(place) { return known }
      return try await self.read(place).connection
    }
  }

  /// Reads the directory anew, with the clock that the CA shows.
  func describe(_ address: String, trustRoots: String?) async throws -> (connection: AuthorityConnection, date: Instant?) {
    try await read(Place(address: address, trustRoots: trustRoots))
  }

  /// Something went wrong that an outdated directory may be to blame for.
  func forget(_ address: String, trustRoots: String?) {
    found[Place(address: address, trustRoots: trustRoots)] = nil
  }

  private func young(_ place: Place) -> AuthorityConnection? {
    found[place].flatMap { clock.now() - $0.at < Self.maximumAge ? $0.connection : nil }
  }

  private func read(_ place: Place) async throws -> (connection: AuthorityConnection, date: Instant?) {
    guard let url = ResourceURL(place.address) else {
      throw ACMEError(.badAuthority, place.address, "this is no https URL of an ACME directory; see to authority.directory")
    }
    let transport = try await transports.transport(to: url, trustRoots: place.trustRoots)
    let (foundAt, directory, date) = try await Self.discover(url, over: transport, logger: logger, now: clock.now())
    let pool = nonces[directory.newNonce] ?? NoncePool()
    nonces[directory.newNonce] = pool
    let connection = AuthorityConnection(
      url: foundAt, directory: directory, transport: transport, nonces: pool, clock: clock, logger: logger)
    connection.time.take(date)
    found[place] = (connection, clock.now())
    return (connection, date)
  }

  /// Reads the directory at the URL itself, or else below it: people copy either.
  static func discover(
    _ url: ResourceURL, over transport: any Transport, logger: Logger, now: Instant
  ) async throws -> (ResourceURL, Directory, Instant?) {
    do {
      return try await get(url, over: transport, logger: logger, now: now)
    } catch let error as ACMEError where error.code == .badAnswer || error.code == .refused {
      guard !error.isTransient, let below = url.appending("directory"), let found = try? await get(below, over: transport, logger: logger, now: now)
      else { throw error }
      return found
    }
  }

  private static func get(
    _ url: ResourceURL, over transport: any Transport, logger: Logger, now: Instant
  ) async throws -> (ResourceURL, Directory, Instant?) {
    let response = try await transport.send(Request(method: .GET, url: url), for: .directory, logger: logger)
    if let refusal = response.refusal(of: url, now: now) { throw refusal }
    return (url, try response.decode(Directory.self, from: url), response.dateOfToday)
  }
}
