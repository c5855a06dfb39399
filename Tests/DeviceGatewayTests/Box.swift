import FoundationEssentials
import NIOConcurrencyHelpers
import RawSocket

/// A value that a closure hands out.
final class Box<Value: Sendable>: Sendable {
  private let held = NIOLockedValueBox<Value?>(nil)

  var value: Value? {
    get { held.withLockedValue { $0 } }
    set { held.withLockedValue { $0 = newValue } }
  }
}

extension TemporaryFolder {
  func url(_ path: String) -> URL { URL(filePath: "\(self.path)/\(path)") }
}
