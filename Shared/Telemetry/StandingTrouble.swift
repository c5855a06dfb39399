import Synchronization

/// Something that goes wrong again and again, as long as its cause stands: a full disk, a service that does not answer. It is told when it begins and
/// when it is over, not each time.
public final class StandingTrouble: Sendable {
  private let isStanding = Mutex(false)

  /// No trouble yet.
  public init() {}

  /// It was met. True if it begins with this.
  public func begins() -> Bool { change(to: true) }

  /// It went well. True if the trouble ends with this.
  public func ends() -> Bool { change(to: false) }

  private func change(to stands: Bool) -> Bool {
    isStanding.withLock { isStanding in
      defer { isStanding = stands }
      return isStanding != stands
    }
  }
}
