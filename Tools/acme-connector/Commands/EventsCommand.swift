import ArgumentParser
import NIOConcurrencyHelpers
import SchedulerAPI
import Varlink

/// `acme-connector events`
struct EventsCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(commandName: "events", abstract: "Shows what happened, oldest first.")

  @Flag(help: "Go on with every new event, through restarts of the connector, until interrupted.") var follow = false
  @Option(help: "At most this many of the newest.") var limit = 50
  @Option(help: "Only those of one device, by id, key or name.") var device: String?
  @OptionGroup var options: ConnectorOptions

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit takes a number from 1 on.") }
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let device: DeviceID? = if let device { try await connector.device(device) } else { nil }
    let selection = AdminMethods.ListEvents.Parameters(limit: limit, device: device)
    guard follow else {
      let reply = try await connector.admin.askAll(AdminMethods.ListEvents.self, selection)
      if options.json { return try terminal.json(reply) }
      return try reply.events.isEmpty ? terminal.line("Nothing has happened.") : show(reply, on: terminal)
    }
    try await followEvents(selection, of: connector, on: terminal)
  }

  /// Shows events until the task is cancelled. A connector that restarts ends the stream; it is opened again after the last event seen.
  private func followEvents(_ selection: AdminMethods.ListEvents.Parameters, of connector: Connector, on terminal: Terminal) async throws {
    let last = NIOLockedValueBox<Int?>(nil)
    let receive: @Sendable (AdminMethods.ListEvents.Reply) throws -> Void = { reply in
      // Where there was nothing yet, whatever comes is new.
      last.withLockedValue { $0 = reply.events.last?.id ?? $0 ?? 0 }
      try show(reply, on: terminal)
    }
    while true {
      var next = selection
      // What came while nobody listened is wanted whole.
      next.after = last.withLockedValue { $0 }
      do {
        return try receive(try await connector.admin.stream(AdminMethods.ListEvents.self, next, onReply: receive))
      } catch is Restarting {
        continue
      } catch let error as VarlinkError where last.withLockedValue({ $0 }) != nil && [.closed, .unreachable].contains(error.code) {
        try await Task.sleep(for: .seconds(1))
      }
    }
  }

  private func show(_ reply: AdminMethods.ListEvents.Reply, on terminal: Terminal) throws {
    guard !options.json else { return try terminal.json(reply) }
    for event in reply.events { try terminal.line(Self.line(event)) }
  }

  /// One event in one line: when, how bad, what, and whom it concerns.
  static func line(_ event: EventView) -> String {
    let severity = event.severity.rawValue
    let about = [
      event.code, event.device.map { "device \($0)" }, event.request.map { "request \($0)" }, event.name.map { "name \($0)" },
    ].compactMap(\.self).joined(separator: ", ")
    return "\(event.at.text)  \(severity)\(String(repeating: " ", count: 11 - severity.count))  \(event.text) [\(about)]"
  }
}
