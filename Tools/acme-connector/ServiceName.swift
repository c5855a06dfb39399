import ArgumentParser

/// The four services.
enum ServiceName: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
  case acmeClient = "acme-client"
  case challengeHTTP = "challenge-http"
  case scheduler = "scheduler"
  case deviceGateway = "device-gateway"
}
