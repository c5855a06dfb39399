@preconcurrency import Dispatch
import FoundationEssentials
import Glibc

/// Stands in for the service manager's end of `NOTIFY_SOCKET`.
final class NotifySocket: Sendable {
  let path: String
  /// Each datagram, as it comes.
  let notifications: AsyncStream<String>
  private let source: any DispatchSourceRead

  init(in folder: URL) throws {
    let path = folder.appending(component: "notify").filePath
    self.path = path
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    let isBound = withUnsafeBytes(of: &address) {
      bind(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) == 0
    }
    guard isBound else { throw CocoaError(.fileWriteUnknown) }
    let (notifications, continuation) = AsyncStream.makeStream(of: String.self)
    self.notifications = notifications
    source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
    source.setEventHandler {
      var datagram = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = recv(descriptor, &datagram, datagram.count, 0)
        guard count >= 0 else { return }
        continuation.yield(String(decoding: datagram[..<count], as: UTF8.self))
      }
    }
    source.setCancelHandler { close(descriptor) }
    source.resume()
  }

  deinit { source.cancel() }

  /// Waits for the notification that begins so, past all others.
  @discardableResult
  func next(_ beginning: String) async -> String? {
    await notifications.first { $0.hasPrefix(beginning) }
  }
}
