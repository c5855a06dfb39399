import Programs
import Testing

/// One socket unit: for whom it is, and how to get an answer there.
struct Role: Sendable, CustomTestStringConvertible {
  var name: String
  var unit: Unit
  /// A command whose success is an answer.
  var question: [String]

  var socket: String { "acme-connector-\(name).socket" }
  var testDescription: String { name }

  static let all = [
    varlink("challenge-http", of: .challengeHTTP, at: "challenge-http.sock"),
    varlink("challenge-http-responder", of: .challengeHTTP, at: "responders/challenge-http.sock"),
    Role(name: "challenge-http-http", unit: .challengeHTTP, question: ["curl", "-s", "http://127.0.0.1/.well-known/acme-challenge/none"]),
    varlink("acme-client", of: .acmeClient, at: "acme-client.sock"),
    varlink("scheduler", of: .scheduler, at: "scheduler.sock"),
    varlink("scheduler-admin", of: .scheduler, at: "admin.sock"),
    varlink("device-gateway-logins", of: .deviceGateway, at: "logins.sock"),
    varlink("device-gateway-responder", of: .deviceGateway, at: "responders/device-gateway.sock"),
    Role(name: "device-gateway-wss", unit: .deviceGateway, question: ["curl", "-sfk", "https://127.0.0.1:8443/connector/connector.pem"]),
    Role(name: "device-gateway-ws", unit: .deviceGateway, question: ["curl", "-sf", "http://127.0.0.1:8080/connector/connector.pem"]),
  ]

  private static func varlink(_ name: String, of unit: Unit, at path: String) -> Role {
    let ask = #"printf '{"method":"org.varlink.service.GetInfo"}\0' | socat -t10 - UNIX-CONNECT:"$0" | grep -q '"product"'"#
    return Role(name: name, unit: unit, question: ["sh", "-c", ask, "/run/acme-connector/\(path)"])
  }
}

extension Bed {
  /// Whether somebody answers there.
  func answers(_ role: Role) async throws -> Bool {
    try await outcome(role.question[0], Array(role.question.dropFirst()), limit: .seconds(20)).succeeded
  }

  /// Makes a service run, as its first caller would.
  func wake(_ unit: Unit) async throws {
    for role in Role.all where role.unit == unit {
      guard try await answers(role) else { throw Failure("\(role.socket) does not answer") }
      return
    }
  }
}
