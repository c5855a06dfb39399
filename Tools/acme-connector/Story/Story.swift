import PKI

/// What the services did for one certificate, in the order of time.
struct Story: Sendable {
  /// One entry of the journal.
  struct Step: Encodable, Sendable {
    var at: Instant
    /// Milliseconds.
    var sincePrevious: Int64?
    var service: String
    var level: String?
    var message: String
    var event: String?
    var category: String?
    var device: String?
    var name: String?
    var order: String?
    var request: String?
    var serial: String?
    var trace: String?
  }

  let steps: [Step]

  /// - Parameter entries: in the order of time.
  init(_ entries: [JournalEntry]) {
    var previous: Int64?
    steps = entries.map { entry in
      defer { previous = entry.time }
      return Step(
        at: Instant(milliseconds: entry.time / 1_000), sincePrevious: previous.map { (entry.time - $0) / 1_000 }, service: entry.service,
        level: entry["PRIORITY"].flatMap { Int($0) }.flatMap { Self.levels.indices.contains($0) ? Self.levels[$0] : nil },
        message: entry.message, event: entry["EVENT"], category: entry["CATEGORY"], device: entry["DEVICE"], name: entry["NAME"],
        order: entry["ORDER"], request: entry.request, serial: entry["SERIAL"], trace: entry.trace)
    }
  }

  /// By `PRIORITY` (syslog(3)).
  private static let levels = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]

  /// What all of it is about.
  var facts: [(name: String, value: String)] {
    func all(_ value: (Step) -> String?) -> String {
      var found: [String] = []
      for each in steps.compactMap(value) where !found.contains(each) { found.append(each) }
      return found.isEmpty ? "-" : found.joined(separator: ", ")
    }
    return [
      ("request", all(\.request)), ("device", all(\.device)), ("names", all(\.name)), ("serial", all(\.serial)), ("trace", all(\.trace)),
    ]
  }
}

extension Story {
  /// The story that an id belongs to. The message that made a request has a trace, in which the order runs; a device's receipt, later, has one of
  /// its own and only names the request: so a story is both, found from either.
  /// - Throws: a ``CommandError`` when there is none.
  static func find(_ id: String, in source: any StorySource) async throws -> Story {
    let matches: [JournalMatch] = isIdentifier(id) ? [.trace(id), .request(id), .device(id)] : [.device(id), .name(id)]
    let found = try await source.entries(matches)
    guard !found.isEmpty else {
      throw CommandError("The journal has nothing about \(id); it may have been forgotten there, or be the id of another connector's.")
    }
    let traces = found.contains { $0.trace == id } ? [id] : []
    guard let request = request(meantBy: id, in: found) else {
      if traces.isEmpty, let trace = found.last?.trace { return try await find(trace, in: source) }
      return Story(found)
    }
    let own = try await source.entries([.request(request)]).first?.trace
    let all = Set(traces + [own].compactMap(\.self)).sorted()
    return Story(try await source.entries([.request(request)] + all.map(JournalMatch.trace)))
  }

  /// Trace, request and device ids are 128 bits in hexadecimal digits.
  private static func isIdentifier(_ text: String) -> Bool {
    text.utf8.count == 32 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
  }

  /// The request that the entries are about: of a trace, the one that began in it, for a request that gave way to it is named there too.
  private static func request(meantBy id: String, in entries: [JournalEntry]) -> String? {
    if entries.contains(where: { $0.request == id }) { return id }
    if entries.contains(where: { $0.trace == id }) {
      return entries.first { $0.trace == id && $0["EVENT"] == "requestAccepted" }?.request ?? entries.lazy.compactMap(\.request).first
    }
    return entries.last { $0.request != nil }?.request
  }
}
