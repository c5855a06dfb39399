import ArgumentParser
import PKI
import SchedulerAPI
import Varlink

/// `acme-connector revoke`
struct RevokeCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Has the CA revoke a certificate, or those of a device, and the device asked for a new CSR at once.",
    discussion: "After keyCompromise no CSR with that key is taken any more. Which reasons a CA takes is its own matter.")

  @Option(help: "The certificate with this fingerprint, the SHA-256 of its DER.") var fingerprint: Fingerprint?
  @Option(help: "The certificate with this serial number, in hexadecimal digits.") var serial: String?
  @Option(help: "All valid certificates of a device, by id, key or name.") var device: String?
  @Option(help: "Why, as RFC 5280, section 5.3.1 calls it.") var reason = RevocationReason.unspecified
  @OptionGroup var options: ConnectorOptions

  func validate() throws {
    guard [fingerprint?.hex, serial, device].compactMap(\.self).count == 1 else {
      throw ValidationError("Give one of --fingerprint, --serial and --device.")
    }
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let device: DeviceID? = if let device { try await connector.device(device) } else { nil }
    let reply = try await connector.revoke(.init(fingerprint: fingerprint, serial: serial, device: device, reason: reason))
    if options.json { return try terminal.json(reply) }
    try terminal.line(reply.sentence)
  }
}

extension Connector {
  /// Has certificates revoked. The CA is asked about one after the other, which takes its time.
  func revoke(_ parameters: AdminMethods.Revoke.Parameters) async throws -> AdminMethods.Revoke.Reply {
    try await admin.call(AdminMethods.Revoke.self, parameters, timeLimit: .seconds(600))
  }
}

extension AdminMethods.Revoke.Reply {
  /// What was done, for a person.
  var sentence: String { serials.isEmpty ? "No certificate is valid, so none was revoked." : "Revoked: \(serials.summary)." }
}
