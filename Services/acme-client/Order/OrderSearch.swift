import Logging
import PKI

/// Looks for the order whose newOrder was sent and whose answer was lost, in the account's list of orders (RFC 8555, section 7.1.2.1). Let's Encrypt
/// has no such list.
struct OrderSearch: Sendable {
  private static let mostPages = 100
  private static let mostOrders = 50

  let session: AuthoritySession
  let clock: WallClock
  let logger: Logger

  /// The order that is certain to be usable: open, with exactly these names, and not another request's.
  func order(for names: Set<DNSName>, notAmong known: Set<ResourceURL>) async throws -> (url: ResourceURL, order: Order)? {
    do {
      // The list's order is not defined; CAs that have one append to it.
      for url in try await listed().filter({ !known.contains($0) }).suffix(Self.mostOrders).reversed() {
        let order = try await session.get(.order, url).decode(Order.self, from: url)
        if isUsable(order), order.names == names, order.identifiers.count == names.count { return (url, order) }
      }
      return nil
    } catch let error as ACMEError {
      logger.info("the account's orders cannot be listed", error: error)
      return nil
    }
  }

  private func isUsable(_ order: Order) -> Bool {
    guard order.status == .pending || order.status == .ready, order.certificate == nil else { return false }
    return order.expires?.instant.map { $0 > clock.now() } ?? true
  }

  private func listed() async throws -> [ResourceURL] {
    let account = try await session.get(.account, session.account).decode(Account.self, from: session.account)
    var page = account.orders
    var urls: [ResourceURL] = []
    for _ in 0..<Self.mostPages {
      guard let url = page else { break }
      let response = try await session.get(.orders, url)
      urls += try response.decode(OrdersList.self, from: url).orders
      page = response.links("next", of: url).first
    }
    return urls
  }
}
