import FoundationEssentials
import Logging
import SchedulerAPI
import ServiceRuntime
import Telemetry

/// Which devices answer by themselves, on disk: a gateway that was restarted must not take their challenges for somebody else's while they are away.
///
/// It is written soon after a change and not before the device is told: until then the device itself is there.
struct ChallengeRolesFile: Sendable {
  private static let sizeLimit = 32 << 20

  private let file: AtomicFile
  private let logger: Logger

  init(in environment: ServiceEnvironment) {
    file = AtomicFile(environment.stateDirectory.appending(component: "challenge-roles.json"))
    logger = environment.logger
  }

  /// What was stored. A file that makes no sense is set aside: the devices tell it anew when they connect.
  func load() throws -> [DeviceID: ChallengeRole] {
    guard let content = try file.read(limit: Self.sizeLimit) else { return [:] }
    do {
      let stored = try JSONDecoder().decode([String: ChallengeRole].self, from: Data(content))
      return Dictionary(stored.map { (DeviceID(rawValue: $0.key), $0.value) }) { $1 }
    } catch {
      let aside = try file.setAside().path(percentEncoded: false)
      logger.log(.fileDamaged, "which devices answer challenges themselves cannot be read, and is set aside", metadata: [.file: aside])
      return [:]
    }
  }

  func store(_ roles: [DeviceID: ChallengeRole]) {
    do {
      let content = Dictionary(roles.map { ($0.key.rawValue, $0.value) }) { $1 }
      try file.write(try JSONEncoder().encode(content))
    } catch {
      logger.log(.storingFailed, "which devices answer challenges themselves could not be stored", error: error)
    }
  }
}
