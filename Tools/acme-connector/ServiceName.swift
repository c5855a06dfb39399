import ArgumentParser

/// The four services.
enum ServiceName: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
  case acmeClient = "acme-client"
  case challengeHTTP = "challenge-http"
  case scheduler = "scheduler"
  case deviceGateway = "device-gateway"

  /// The socket at which administrators ask it.
  var socket: String {
    switch self {
    case .acmeClient, .challengeHTTP: "\(rawValue).sock"
    case .scheduler: "admin.sock"
    case .deviceGateway: "logins.sock"
    }
  }
}
