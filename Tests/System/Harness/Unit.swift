import FoundationEssentials
import Programs

/// One of the four services, by its name.
enum Unit: String, CaseIterable, Sendable {
  case challengeHTTP = "challenge-http"
  case acmeClient = "acme-client"
  case scheduler
  case deviceGateway = "device-gateway"

  /// The unit's name.
  var service: String { "acme-connector-\(rawValue).service" }

  /// Its own folder.
  var folder: String { self == .challengeHTTP ? "/run/acme-connector-challenge-http" : "/var/lib/acme-connector/\(rawValue)" }
}

extension Bed {
  /// What systemd says of the service's state: `active`, `inactive`, `failed`, `activating`…
  func state(of unit: String) async throws -> String { try await property("ActiveState", of: unit) }

  /// A property of a unit, as `systemctl show` has it.
  func property(_ name: String, of unit: String) async throws -> String { try await run("systemctl", "show", "--property=\(name)", "--value", unit) }

  /// How often systemd has started the service anew by itself.
  func restarts(of unit: Unit) async throws -> Int { Int(try await property("NRestarts", of: unit.service)) ?? 0 }

  /// Adds to a unit, as `systemctl edit` does.
  func add(_ settings: String, to unit: String) async throws {
    try await write(settings + "\n", to: dropIn(for: unit))
    try await run("systemctl", "daemon-reload")
  }

  /// Takes back what was added.
  func mend(_ unit: String) async throws {
    try await run("rm", dropIn(for: unit))
    try await run("systemctl", "daemon-reload")
  }

  private func dropIn(for unit: String) -> String { "/etc/systemd/system/\(unit).d/test.conf" }
}
