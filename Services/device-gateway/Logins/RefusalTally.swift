import AppWebsocket
import PKI
import SchedulerAPI

/// Who is refused again and again: a device with an old password does not say so itself. A value of bounded size, whoever knocks.
struct RefusalTally: Sendable {
  /// How a login called itself, as far as it may stand anywhere.
  private struct Subject: Hashable {
    let domain: String?
    let sip: String?
    let guid: String?

    init(_ subject: LoginDigest.Subject) {
      domain = TenantDomain(subject.domain)?.value
      sip = ShortText(subject.sip)?.value
      guid = ShortText(subject.guid)?.value
    }

    init(_ login: RefusedLogin) {
      (domain, sip, guid) = (login.domain, login.sip, login.guid)
    }
  }

  private struct Count {
    let since: Instant
    var last: Instant
    var count: Int
    var address: PeerAddress
    /// How many there were when the scheduler was told.
    var told = 0
  }

  /// From how many on it is told: whoever mistypes a password is none.
  static let worthTelling = 3
  /// After so long without another one it begins anew.
  static let memory = Duration.seconds(3_600)
  /// How many who call themselves differently are kept in mind.
  static let capacity = 1_000

  private var counts: [Subject: Count] = [:]

  /// A login was refused.
  /// - Returns: whether that is to be told.
  @discardableResult
  mutating func note(_ login: LoginDigest.Subject, from peer: PeerAddress, at now: Instant) -> Bool {
    let subject = Subject(login)
    if var count = counts[subject], (count.last...(count.last + Self.memory)).contains(now) {
      (count.last, count.count, count.address) = (now, count.count + 1, peer)
      counts[subject] = count
      return count.count >= Self.worthTelling
    }
    if counts[subject] == nil, counts.count >= Self.capacity { makeRoom() }
    counts[subject] = Count(since: now, last: now, count: 1, address: peer)
    return false
  }

  /// A login of that name was right.
  mutating func forget(_ login: LoginDigest.Subject) { counts[Subject(login)] = nil }

  /// Of whom there is something to be told, those with most first, and no more than one call takes.
  var news: [RefusedLogin] {
    counts.filter { $0.value.count >= Self.worthTelling && $0.value.count > $0.value.told }.sorted { $0.value.count > $1.value.count }
      .prefix(SchedulerMethods.NoteRefusedLogins.most)
      .map { subject, count in
        RefusedLogin(
          domain: subject.domain, sip: subject.sip, guid: subject.guid, address: "\(count.address)", since: count.since, count: count.count)
      }
  }

  /// These have been told.
  mutating func noteTold(_ logins: [RefusedLogin]) {
    for login in logins { counts[Subject(login)]?.told = login.count }
  }

  /// The one that has been quiet for longest goes.
  private mutating func makeRoom() {
    if let oldest = counts.min(by: { $0.value.last < $1.value.last }) { counts[oldest.key] = nil }
  }
}
