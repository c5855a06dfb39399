import FoundationEssentials
import Programs

/// The steps at which a service can be made to die, as they stand in the sources: a new one is tested without being listed anywhere.
enum RehearsedSteps {
  /// Those of a device's enrolment.
  static let ofDevices = all.filter { !$0.hasPrefix(ownPrefix) && !ofAdministration.contains($0) }
  /// Those of the gateway's own, which only a gateway with names gets to.
  static let ofGateway = all.filter { $0.hasPrefix(ownPrefix) }
  /// Those that an administrator's call takes and no device's enrolment does. One that is missing here fails among those of devices, where it is
  /// not reached.
  static let ofAdministration = Set(
    ["device-gateway.loginsStored", "scheduler.certificateRevoked", "scheduler.nameApproved"] + ofKeyChanges + ofDeactivation)
  /// Those of another key for the account, and of its end.
  static let ofKeyChanges = ["acme-client.nextKeyStored", "acme-client.keyChanged", "acme-client.newKeyNoted", "acme-client.newKeyInPlace"]
  static let ofDeactivation = ["acme-client.deactivationStored", "acme-client.accountDeactivated"]

  private static let ownPrefix = "device-gateway.own"

  /// Their names, `service.step`.
  static let all: [String] = {
    let services = Project.root.appending(path: "Services")
    let files = (try? FileManager.default.subpathsOfDirectory(atPath: services.path)) ?? []
    return files.filter { $0.hasSuffix(".swift") }.flatMap { file in
      let source = (try? String(contentsOf: services.appending(path: file), encoding: .utf8)) ?? ""
      return source.matches(of: /RehearsedDeath\.at\("([^"]+)"\)/).map { String($0.1) }
    }.sorted()
  }()
}
