import FoundationEssentials
public import Telemetry

/// A method whose reply is a list of any length. It comes in parts that fit a message: with `more` one after the other, without it one at a time,
/// where `next` of one is `after` of the next call.
///
/// The entries have an order in which each has its place, and a part begins after a place: so nothing that is there all the time is left out or
/// told twice, whatever comes and goes meanwhile.
public protocol VarlinkListMethod: VarlinkMethod where Parameters: VarlinkListSelection, Reply: VarlinkListPart, Reply.Place == Parameters.Place {
  /// Where in the order the entry has its place.
  static func place(of entry: Reply.Entry) -> Reply.Place
}

/// Which entries of a list.
public protocol VarlinkListSelection {
  /// A place in the order of the entries.
  associatedtype Place: Codable & Sendable
  /// Only those after this place.
  var after: Place? { get set }
}

/// A part of a list.
public protocol VarlinkListPart {
  /// What is listed.
  associatedtype Entry: Codable & Sendable
  /// A place in the order of the entries.
  associatedtype Place: Codable & Sendable
  /// In their order.
  var entries: [Entry] { get }
  /// The place of the last entry, if more follow.
  var next: Place? { get }
  /// A part of a list.
  init(entries: [Entry], next: Place?)
}

/// The parameters of a list that is asked for as a whole: where a part of it begins, and a trace.
public struct OnlyAfter: Codable, Sendable, Hashable, Traced, VarlinkListSelection {
  /// Only the entries after this one.
  public var after: String?
  /// The caller's W3C trace context.
  public var trace: TraceContext?

  /// Parameters that take the trace of the calling task.
  public init(after: String? = nil) {
    self.after = after
  }
}

extension VarlinkListMethod {
  /// How many entries to look up for one part: one more than it may have, which tells whether more follow.
  public static var lookAhead: Int { mostEntries + 1 }

  private static var mostEntries: Int { 200 }
  /// Half of what a message may have (``VarlinkLimits``), for one entry more and all that is not entries.
  private static var mostBytes: Int { 512 << 10 }

  /// The first part of these entries, which are in order and of which the first is the first after `after`: as many as fit a message.
  public static func part(of entries: some Collection<Reply.Entry>) throws -> Reply {
    let encoder = JSONEncoder()
    var bytes = 0
    var fitting: [Reply.Entry] = []
    for entry in entries.prefix(mostEntries) {
      bytes += try encoder.encode(entry).count
      guard bytes <= mostBytes || fitting.isEmpty else { break }
      fitting.append(entry)
    }
    return Reply(entries: fitting, next: fitting.count < entries.count ? fitting.last.map(place) : nil)
  }
}

extension VarlinkHandler {
  /// A method that lists.
  /// - Parameter entries: finds the first entries after `after`, ``VarlinkListMethod/lookAhead`` of them if there are so many.
  public static func list<Method: VarlinkListMethod>(
    _ method: Method.Type, _ entries: @escaping @Sendable (Method.Parameters) async throws -> [Method.Reply.Entry]
  ) -> VarlinkHandler {
    stream(method, requiresMore: false) { parameters, call, replies in
      var parameters = parameters
      while true {
        let part = try Method.part(of: try await entries(parameters))
        guard call.wantsMore, let next = part.next else { return part }
        try await replies.send(part)
        parameters.after = next
      }
    }
  }
}

extension VarlinkClient {
  /// Calls for a list, part after part, and puts them together. Each part is a call of its own, so a service that is restarted in between is not
  /// noticed.
  /// - Parameter timeLimit: how long each part may take.
  /// - Throws: an error that the interface declares, or a ``VarlinkError``.
  public func list<Method: VarlinkListMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, timeLimit: Duration? = nil
  ) async throws -> Method.Reply {
    var parameters = parameters
    var entries: [Method.Reply.Entry] = []
    repeat {
      let part = try await call(method, parameters, timeLimit: timeLimit)
      entries += part.entries
      parameters.after = part.next
    } while parameters.after != nil
    return Method.Reply(entries: entries, next: nil)
  }
}
