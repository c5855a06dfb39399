import DeviceGatewayAPI
import FoundationEssentials
import PKI
import SchedulerAPI

/// What an administrator has to know when all is set up: what to open, what to type into a device, what to paste on a Linux host.
struct SetupReport: Sendable, Encodable {
  /// A login that devices or administrators come in by.
  struct Login: Sendable, Encodable {
    let name: String
    let kind: Logins.Kind
    /// Only when it was made now: the only time that it is shown.
    let secret: String?
  }

  /// The CA's directory.
  let authority: String
  /// Where its terms of service are.
  let termsOfService: String?
  /// Seconds that this machine's clock is ahead of the CA's.
  let clockSkewSec: Int64?
  /// The settings that were changed.
  let changed: [String]
  /// One for devices and one for administrators.
  let logins: [Login]
  /// The public host names for which the gateway obtains a certificate.
  let gatewayNames: [String]
  /// Where devices connect: by the first of these names, or else by this machine's own.
  let url: String
  /// What devices may pin.
  let pin: SubjectPublicKeyPin
  /// What to paste on a Linux host.
  let line: String

  init(_ check: AuthorityCheck, changed: [String], logins: [Login], gateway: Logins.Describe.Reply, names: [String]) {
    authority = check.description.directory
    termsOfService = check.description.termsOfService
    clockSkewSec = check.skew?.components.seconds
    self.changed = changed
    self.logins = logins
    gatewayNames = names
    url = "wss://\(names.first ?? ProcessInfo.processInfo.hostName):\(gateway.port ?? 8443)\(gateway.path)"
    pin = gateway.pin
    // The name is the host's own, and the password is asked for: neither history nor the list of processes has it. Both paths are those of
    // acme-device@default.service.
    line = """
      acme-device enroll --connector \(url) --pin \(pin) --password-file /etc/credstore/acme-device.default \
      --directory /var/lib/acme-device/default --name "$(hostname -f)"
      """
  }

  /// For people, line by line.
  var lines: [String] {
    var lines = [changed.isEmpty ? "Nothing had to be changed; it is set up." : "It is set up: \(changed.joined(separator: ", "))."]
    lines += ["", "Open in the firewall:"]
    lines += ["  in   TCP 80 for everyone, on every address that a certificate's name leads to, and lead it to this machine: the CA looks there"]
    lines += ["  in   TCP \(port) for devices"]
    lines += ["  out  TCP \(authorityPort) to \(authorityHost), the CA"]
    lines += ["", "Type into an innovaphone device:"]
    lines += ["  URL       \(url)", "  Password  \(secret(of: .device))"]
    if let admin = logins.first(where: { $0.kind == .admin }) {
      lines += ["", "For administrators' pages:", "  Login \(admin.name), password  \(secret(of: .admin))"]
    }
    lines += ["", "Paste on a Linux host, as root; it asks for the same password as devices have:", "", line]
    if !gatewayNames.isEmpty {
      lines += [
        "", "The gateway obtains its own certificate for \(gatewayNames.joined(separator: ", ")); `acme-connector status` shows how it stands.",
      ]
    }
    return lines
  }

  private func secret(of kind: Logins.Kind) -> String {
    guard let login = logins.first(where: { $0.kind == kind }) else { return "-" }
    return login.secret ?? "as it is; `acme-connector logins rotate \(login.name)` makes a new one"
  }

  private var port: Int { URL(string: url)?.port ?? 8443 }
  private var authorityHost: String { URL(string: authority)?.host() ?? authority }
  private var authorityPort: Int { URL(string: authority)?.port ?? 443 }
}
