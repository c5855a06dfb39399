import AppWebsocket
import PKI

/// The challenges that a device answers for the connector, and the questions that it has passed on: what ``DeviceMachine`` knows of them.
struct ServedChallenges: Sendable {
  /// How the device answers.
  enum Way: Sendable, Hashable {
    /// It does not: the network leads the CA elsewhere.
    case none
    /// With what it is told, on a listener of its own or by files that a web server serves.
    case push
    /// On a listener of its own, and it asks for each request.
    case lookup

    var mode: RegisterDevice.ChallengeMode {
      switch self {
      case .none: .external
      case .push: .push
      case .lookup: .lookup
      }
    }
  }

  struct Challenge: Sendable, Hashable {
    let keyAuthorization: KeyAuthorization
    /// It is dropped then, even if nobody says so (device protocol, "Challenges").
    var end: Instant
    /// Whether a request for it is answered.
    var isInPlace = false
    /// What the connector's message is answered with.
    var correlation: Correlation
  }

  /// More than one device has names, and names under way.
  static let most = 200
  /// How many questions are on their way at once.
  static let mostQuestions = 64
  static let lifetime = Duration.seconds(3600)
  /// How long the connector may take to answer one: the CA waits ten seconds for all of it.
  static let questionLimit = Duration.seconds(6)

  var live: [ChallengeToken: Challenge] = [:]
  /// What was asked on the listener and is passed on to the connector.
  var questions: [ChallengeQuestion: GetChallenge] = [:]
}

/// A request for a challenge that came in on the device's listener.
struct ChallengeQuestion: Sendable, Hashable {
  let number: UInt64

  var correlation: Correlation { Correlation(src: "challenge-\(number)") ?? .none }
}
