import SchedulerAPI
import Varlink

/// The services of one connector, as a command reaches them: the folder with their sockets.
struct Connector: Sendable {
  /// Where the sockets are.
  let directory: String

  /// The scheduler, as administrators see it.
  var admin: VarlinkClient { client(of: .scheduler) }
  /// The device gateway's logins.
  var logins: VarlinkClient { client(of: .deviceGateway) }

  /// Where a service tells its metrics. Scheduler and gateway tell them to administrators only.
  func metrics(of service: ServiceName) -> VarlinkClient { client(of: service) }

  /// The device that an administrator means by its id, or by its key or name where only one has it. Of several, those that are retired are meant only
  /// if `retired`, and the others only if not.
  /// - Throws: a ``CommandError`` when there is none or more than one.
  func device(_ reference: String, retired: Bool = false) async throws -> DeviceID {
    let all = try await admin.askAll(AdminMethods.ListDevices.self, .init(called: reference)).devices
    if let device = all.first(where: { $0.id.rawValue == reference }) { return device.id }
    let likely = all.filter { ($0.retiredAt != nil) == retired }
    let matches = likely.isEmpty ? all : likely
    guard let device = matches.first else {
      throw CommandError("There is no device with the id, key or name \(reference); `acme-connector devices` lists them.")
    }
    guard matches.count == 1 else {
      let ids = matches.map(\.id.rawValue).summary
      throw CommandError("\(matches.count) devices are called \(reference); give the id of the one you mean: \(ids).")
    }
    return device.id
  }

  private func client(of service: ServiceName) -> VarlinkClient { VarlinkClient(path: "\(directory)/\(service.socket)") }
}

extension VarlinkClient {
  /// Calls a method; a service that does not answer within half a minute will not answer a person at all.
  func ask<Method: VarlinkMethod>(_ method: Method.Type, _ parameters: Method.Parameters) async throws -> Method.Reply {
    try await call(method, parameters, timeLimit: .seconds(30))
  }

  /// Calls for a whole list.
  func askAll<Method: VarlinkListMethod>(_ method: Method.Type, _ parameters: Method.Parameters) async throws -> Method.Reply {
    try await list(method, parameters, timeLimit: .seconds(30))
  }

  /// Calls a method that has nothing to be told.
  func ask<Method: VarlinkMethod>(_ method: Method.Type) async throws -> Method.Reply where Method.Parameters == OnlyTrace {
    try await ask(method, OnlyTrace())
  }
}
