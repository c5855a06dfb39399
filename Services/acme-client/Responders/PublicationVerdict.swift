/// Whether the CA may be asked, after all responders have spoken about one name.
enum PublicationVerdict: Sendable, Hashable {
  /// By these responders, in their own words: one of them may be wrong.
  case inPlace(by: [String])
  /// The reason is a sentence.
  case refused(String)

  /// What one responder said.
  enum Answer: Sendable, Hashable {
    case inPlace
    case notMine
    case failed(String, required: Bool)
    /// It has said nothing in time: how long it had.
    case silent(String)

    /// Why it has not done what it was asked for.
    var failure: String? {
      switch self {
      case .inPlace, .notMine: nil
      case .failed(let reason, _), .silent(let reason): reason
      }
    }
  }

  /// At least one has the answer in place, and none that the CA cannot do without has failed. A responder that is silent until the time is over
  /// does not count: whether it is needed is for it to say.
  init(_ answers: [(responder: String, answer: Answer)]) {
    var reasons: [String] = []
    var holders: [String] = []
    var isRequiredMissing = false
    for (responder, answer) in answers {
      switch answer {
      case .inPlace: holders.append(responder)
      case .notMine: break
      case .failed(let reason, let required):
        reasons.append("\(responder): \(reason)")
        isRequiredMissing = isRequiredMissing || required
      case .silent(let reason): reasons.append("\(responder): \(reason)")
      }
    }
    if !holders.isEmpty, !isRequiredMissing {
      self = .inPlace(by: holders.sorted())
    } else if answers.isEmpty {
      self = .refused("no responder is there to answer the challenge; see that challenge-http's socket is up")
    } else if reasons.isEmpty {
      self = .refused("no responder answers for this name; see that challenge-http is up, or that the device's reverse proxy is connected")
    } else {
      self = .refused(reasons.sorted().joined(separator: "; "))
    }
  }
}
