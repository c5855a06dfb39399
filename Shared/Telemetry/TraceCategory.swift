/// What can be looked at closely while the services run. `acme-connector trace` switches each, for all devices or for some.
///
/// The scheduler's settings hold what is on. It tells the gateway by `Watch` and acme-client with each call; a responder hears it by the sampled flag
/// of the trace context that comes with each token.
public enum TraceCategory: String, Codable, Sendable, CaseIterable {
  /// What the scheduler decides, and why.
  case app = "App"
  /// Requests to the CA.
  case httpClient = "HttpClient"
  /// Messages from and to devices.
  case appWebsocket = "AppWebsocket"
  /// What is asked for at port 80.
  case challenge = "Challenge"

  /// Those that are on for what the task at hand works for. Outgoing calls take them from here.
  @TaskLocal public static var current: Set<TraceCategory> = []
}

/// For which devices a category is on.
public struct TraceSelection: Sendable, Hashable, Codable {
  /// For all, and for what belongs to no device.
  public var all: Bool
  /// For these, by their ids.
  public var devices: Set<String>

  /// A selection; none by default.
  public init(all: Bool = false, devices: Set<String> = []) {
    self.all = all
    self.devices = devices
  }

  /// Whether the category is on for a device; nil stands for one that is not known yet.
  public func contains(_ device: String?) -> Bool { all || device.map(devices.contains) ?? false }
}
