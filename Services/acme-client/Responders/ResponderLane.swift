import Synchronization

/// What the calls for one purpose share: those for another neither wait for them nor learn from them. Each responder has places of its own there, and
/// each method of it: one that is silent keeps nothing from the others, and nothing from being withdrawn.
final class ResponderLane: Sendable {
  enum Method: Sendable {
    case foresee, publish, withdraw
  }

  private struct Destination: Hashable {
    let responder: String
    let method: Method
  }

  let patience: ResponderPatience
  private let publicationsAtATime: Int
  private let semaphores = Mutex<[Destination: Semaphore]>([:])

  init(publicationsAtATime: Int, patience: Duration) {
    self.publicationsAtATime = publicationsAtATime
    self.patience = ResponderPatience(full: patience)
  }

  /// Where a call waits for its turn. Only a publication may take long: the other methods have a quarter of its places.
  func places(at responder: String, for method: Method) -> Semaphore {
    let count = method == .publish ? publicationsAtATime : publicationsAtATime / 4
    return semaphores.withLock { semaphores in
      let destination = Destination(responder: responder, method: method)
      let semaphore = semaphores[destination] ?? Semaphore(count)
      semaphores[destination] = semaphore
      return semaphore
    }
  }
}
