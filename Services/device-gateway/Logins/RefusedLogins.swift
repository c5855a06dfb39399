import AppWebsocket
import Logging
import NIOConcurrencyHelpers
import PKI

/// Tells the scheduler who is refused at the door again and again, once a minute at most.
final class RefusedLogins: Sendable {
  private let tally = NIOLockedValueBox(RefusalTally())
  /// Comes when there is something to be told.
  private let news = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

  /// How long nothing more is told after something was.
  private static let pause = Duration.seconds(60)

  /// A login was refused.
  func note(_ login: LoginDigest.Subject, from peer: PeerAddress, at now: Instant) {
    if tally.withLockedValue({ $0.note(login, from: peer, at: now) }) { news.continuation.yield() }
  }

  /// A login of that name was right.
  func forget(_ login: LoginDigest.Subject) { tally.withLockedValue { $0.forget(login) } }

  /// Tells for as long as the gateway lives.
  func run(_ scheduler: SchedulerClient) async {
    for await _ in news.stream {
      let logins = tally.withLockedValue(\.news)
      do {
        if !logins.isEmpty { try await scheduler.note(logins) }
        tally.withLockedValue { $0.noteTold(logins) }
      } catch {
        scheduler.logger.notice("the scheduler could not be told who is refused", error: error)
      }
      guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
      if tally.withLockedValue({ !$0.news.isEmpty }) { news.continuation.yield() }
    }
  }
}
