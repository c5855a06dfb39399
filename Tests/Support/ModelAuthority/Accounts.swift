import NIOHTTP1
import PKI

/// An account (RFC 8555, section 7.1.2).
struct AccountObject: Sendable {
  let id: String
  var key: JSONWebKey
  var status = "valid"
  var contact: [String]
}

struct AccountForm: Encodable {
  let status: String
  let contact: [String]
  let orders: String?
}

private struct NewAccount: Decodable {
  let contact: [String]?
  let termsOfServiceAgreed: Bool?
  let onlyReturnExisting: Bool?
}

private struct AccountUpdate: Decodable {
  let contact: [String]?
  let status: String?
}

private struct OrdersForm: Encodable {
  let orders: [String]
}

extension Books {
  /// Section 7.3.
  mutating func newAccount(_ request: SignedRequest) throws -> Answer {
    guard case .key(let key) = request.signer else { throw Deviation("newAccount is signed by an account") }
    let form = try StrictJSON.decode(
      NewAccount.self, members: ["contact", "termsOfServiceAgreed", "onlyReturnExisting"], from: request.payload, what: "newAccount")
    if let account = accounts.values.first(where: { $0.key == key }) {
      return .json(self.form(of: account), headers: ["location": url(.account, account.id)])
    }
    guard form.onlyReturnExisting != true else { throw Refusal("accountDoesNotExist", status: 400, "no account has this key") }
    guard form.termsOfServiceAgreed == true else { throw Deviation("an account without consent to the terms (section 7.3)") }
    try check(form.contact)
    let account = AccountObject(id: makeID(), key: key, contact: form.contact ?? [])
    accounts[account.id] = account
    return .json(self.form(of: account), status: 201, headers: ["location": url(.account, account.id)])
  }

  /// Sections 7.1.2, 7.3.2 and 7.3.6.
  mutating func account(_ id: String, _ request: SignedRequest) throws -> Answer {
    guard var account = accounts[id], try request.account == id else { throw Refusal("unauthorized", status: 403, "not your account") }
    guard !request.payload.isEmpty else { return .json(form(of: account)) }
    let update = try StrictJSON.decode(AccountUpdate.self, members: ["contact", "status"], from: request.payload, what: "the account")
    guard update.status == nil || update.status == "deactivated" else { throw Deviation("an account does not become \(update.status ?? "")") }
    try check(update.contact)
    account.contact = update.contact ?? account.contact
    account.status = update.status ?? account.status
    accounts[id] = account
    return .json(form(of: account))
  }

  private func check(_ contact: [String]?) throws {
    if let contact = contact?.first(where: { !$0.hasPrefix("mailto:") || $0.contains("?") || $0.contains(",") || !$0.contains("@") }) {
      throw Deviation("contact \(contact) is no mailto URL with one address (section 7.3)", type: "invalidContact")
    }
  }

  /// Section 7.1.2.1.
  func orders(of id: String, _ request: SignedRequest, now: Instant) throws -> Answer {
    try request.requireAsGet()
    guard manners.listsOrders, try request.account == id else { throw Refusal("unauthorized", status: 403, "not your orders") }
    let own = orders.values.filter { $0.account == id && status(of: $0, now: now) != "invalid" }
    return .json(OrdersForm(orders: own.map { url(.order, $0.id) }.sorted()))
  }

  func form(of account: AccountObject) -> AccountForm {
    AccountForm(status: account.status, contact: account.contact, orders: manners.listsOrders ? url(.orders, account.id) : nil)
  }
}
