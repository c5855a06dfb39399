import Logging
import SchedulerAPI
import Telemetry
import Varlink

extension Fleet {
  /// Takes a CSR of a device that cannot connect, and tells each state until there is nothing to wait for.
  func request(
    _ call: AdminMethods.Request.Parameters, tell: @Sendable (AdminMethods.Request.Reply) async throws -> Void
  ) async throws -> AdminMethods.Request.Reply {
    let device = try await register(administratorsName: call.device)
    // Watching begins before the request does, so that no state is missed.
    var changes = watched.changes.open().makeAsyncIterator()
    var view = try await submit(Application(csr: call.csr, force: call.force, isByAdministrator: true), of: device)
    audit("a CSR was handed in", [.request: view.id, .device: device])
    while view.state.isPassing {
      try await tell(.init(view))
      do {
        view = try await next(of: view.id, in: &changes)
      } catch is Subscriptions<Watched.Change>.Overflow {
        // More happened than is kept for one reader; how it is now stands in the store.
        changes = watched.changes.open().makeAsyncIterator()
        view = try await resume(device, request: view.id, csrHash: nil, slot: nil)
      }
    }
    // The administrator has it now, for the device.
    if view.state == .ready { try await noteDelivered(view.id, to: device) }
    return .init(view)
  }

  private func next(
    of request: RequestID, in changes: inout AsyncThrowingStream<Watched.Change, any Error>.Iterator
  ) async throws -> RequestView {
    while let change = try await changes.next() {
      if let view = change.request, view.id == request { return view }
    }
    throw Restarting()
  }
}

extension RequestState {
  /// Whether something follows that is worth waiting for.
  fileprivate var isPassing: Bool {
    switch self {
    case .waitingForName, .queued, .ordering, .challenging, .finalizing: true
    case .notDue, .awaitingApproval, .ready, .installed, .failed, .superseded, .revoked: false
    }
  }
}

extension AdminMethods.Request.Reply {
  fileprivate init(_ view: RequestView) {
    let text: String? =
      switch view.state {
      case .awaitingApproval:
        view.name.map { "\($0) belongs to another device; approve it with `acme-connector names approve \($0)`." }
          ?? "A name belongs to another device; `acme-connector names` shows which."
      case .notDue: "The device has a certificate that is not due\(view.dueAt.map { " before \($0)" } ?? ""); --force orders all the same."
      case .superseded: "A newer request took its place."
      default: view.failure?.text
      }
    self.init(request: view.id, state: view.state, chain: view.certificate?.chain, text: text)
  }
}
