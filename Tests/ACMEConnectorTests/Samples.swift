import PKI
import SchedulerAPI
import Testing

/// What the services of the tests know.
enum Samples {
  static let seen = TestConnector.moment("2026-11-23T11:30:00.000Z")

  static func name(_ text: String) throws -> DNSName { try #require(DNSName(text)) }

  static func device(_ id: String, key: String, name: String? = nil, names: [String] = []) throws -> DeviceView {
    DeviceView(
      id: DeviceID(rawValue: id), scope: "instance", key: key, name: name, kind: "LINUX", product: "acme-device", version: nil, roles: [],
      address: "192.0.2.1", firstSeen: seen, lastSeen: seen, names: try names.map(Self.name), nameCount: names.count)
  }

  static func certificate(_ request: String, state: RequestState, error: String? = nil) throws -> CertificateView {
    CertificateView(
      number: 1, request: RequestID(rawValue: request), device: DeviceID(rawValue: "d1"), slot: "default",
      names: try ["a.example", "b.example", "c.example", "d.example"].map(name), state: state, issuer: "Test CA",
      notAfter: error == nil ? TestConnector.now + .seconds(29 * 86400) : nil, requestedAt: seen, changedAt: seen, newOrders: 1, error: error)
  }

  static func event(_ id: Int, _ text: String) -> EventView {
    EventView(id: id, at: seen, severity: .warning, code: "nameHeldByOther", text: text, device: DeviceID(rawValue: "d1"))
  }
}
