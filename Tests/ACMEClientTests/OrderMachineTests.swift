import PKI
import Testing

@testable import ACMEClient

@Suite("The course of an order")
struct OrderMachineTests {
  let authorization = CA.url("authz/a.example")

  @Test("a new order is made, its name proved, the CSR sent, the chain fetched")
  func wholeCourse() {
    var script = Script()
    #expect(script.sent == [.create])
    script.play(.created(CA.url("order/1"), CA.order(.pending), retryAfter: nil))
    #expect(script.actions == [.enter(.challenging), .send(.readAuthorization(authorization), after: .zero)])
    script.play(.authorizationRead(authorization, CA.authorization(.pending), retryAfter: nil))
    #expect(script.actions == [.publish(CA.publication(), authorization: authorization, expires: nil)])
    script.play(.published(authorization: authorization))
    #expect(script.sent == [.postChallenge(CA.url("challenge/a.example"), authorization: authorization)])
    script.play(.challengePosted(authorization: authorization, CA.challenge(.processing), retryAfter: nil))
    #expect(script.actions == [.send(.readAuthorization(authorization), after: PollPace.shortest)])
    script.now = script.now + .milliseconds(30)
    script.play(.authorizationRead(authorization, CA.authorization(.valid), retryAfter: nil))
    #expect(
      script.actions == [
        .withdraw(CA.publication()), .validated(CA.name("a.example"), after: .milliseconds(30)), .enter(.finalizing),
        .send(.finalize(CA.url("finalize/1")), after: .zero),
      ])
    script.play(.finalized(CA.order(.processing), retryAfter: nil))
    #expect(script.sent == [.read(CA.url("order/1"))])
    script.play(.read(CA.order(.valid, certificate: "certificate/1"), retryAfter: nil))
    #expect(script.sent == [.download(CA.url("certificate/1"))])
    script.play(.chainStored)
    #expect(script.ending == .issued)
  }

  @Test("the CSR is sent only when every name is proved")
  func allNames() {
    var script = Script.authorizing(["a.example", "b.example"])
    #expect(script.sent.count == 2)
    script.prove("a.example")
    script.prove("b.example")
    script.play(.authorizationRead(CA.url("authz/b.example"), CA.authorization(.valid, of: "b.example"), retryAfter: nil))
    #expect(script.sent.isEmpty)
    script.play(.authorizationRead(authorization, CA.authorization(.valid), retryAfter: nil))
    #expect(script.sent == [.finalize(CA.url("finalize/1"))])
  }

  @Test("a name that is proved already is not published")
  func reusedAuthorization() {
    var script = Script.authorizing()
    script.play(.authorizationRead(authorization, CA.authorization(.valid), retryAfter: nil))
    #expect(script.actions == [.enter(.finalizing), .send(.finalize(CA.url("finalize/1")), after: .zero)])
  }

  @Test("an order that comes ready is finalized at once")
  func readyOrder() {
    var script = Script()
    script.play(.created(CA.url("order/1"), CA.order(.ready), retryAfter: nil))
    #expect(script.sent == [.finalize(CA.url("finalize/1"))])
  }

  @Test("an order interrupted before finalize is taken up where it is", arguments: [Order.Status.pending, .ready])
  func resumedBeforeFinalize(status: Order.Status) {
    var script = Script(resuming: CA.url("order/1"))
    #expect(script.sent == [.read(CA.url("order/1"))])
    script.play(.read(CA.order(status), retryAfter: nil))
    #expect(script.sent == [status == .ready ? .finalize(CA.url("finalize/1")) : .readAuthorization(authorization)])
  }

  @Test("an order interrupted after finalize is taken up, not ordered anew")
  func resumedAfterFinalize() {
    var script = Script(resuming: CA.url("order/1"))
    script.play(.read(CA.order(.processing), retryAfter: nil))
    #expect(script.sent == [.read(CA.url("order/1"))])
    script.play(.read(CA.order(.valid, certificate: "certificate/1"), retryAfter: nil))
    #expect(script.sent == [.download(CA.url("certificate/1"))])
  }

  @Test("a challenge that the CA is at already is put in place again, and not posted")
  func resumedWhileValidating() {
    var script = Script(resuming: CA.url("order/1"))
    script.play(.read(CA.order(.pending), retryAfter: nil))
    script.play(.authorizationRead(authorization, CA.authorization(.pending, challenge: .processing), retryAfter: nil))
    #expect(script.actions == [.publish(CA.publication(), authorization: authorization, expires: nil)])
    script.play(.published(authorization: authorization))
    #expect(script.sent == [.readAuthorization(authorization)])
  }

  @Test("a name that is found settled when the order is taken up has its answer withdrawn", arguments: [Authorization.Status.valid, .invalid])
  func resumedSettled(status: Authorization.Status) {
    var script = Script(resuming: CA.url("order/1"))
    script.play(.read(CA.order(.pending, names: ["a.example", "b.example"]), retryAfter: nil))
    script.play(.authorizationRead(authorization, CA.authorization(status), retryAfter: nil))
    #expect(script.actions.contains(.withdraw(CA.publication())))
  }

  @Test(
    "an order whose names are settled when it is taken up has their answers withdrawn",
    arguments: [Order.Status.ready, .processing, .valid, .invalid])
  func resumedWithRemains(status: Order.Status) {
    var script = Script(resuming: CA.url("order/1"))
    script.play(.read(CA.order(status, certificate: "certificate/1"), retryAfter: nil))
    #expect(script.actions.contains(.withdrawRemains([authorization])))
    script.play(.read(CA.order(.processing), retryAfter: nil))
    #expect(!script.actions.contains(.withdrawRemains([authorization])))
  }

  @Test("an order that is found invalid when it is taken up is begun anew")
  func resumedInvalid() {
    var script = Script(resuming: CA.url("order/1"))
    script.play(.read(CA.order(.invalid), retryAfter: nil))
    #expect(script.ending == .beginAnew("the CA has made the order invalid"))
  }

  @Test("an order that the CA does not know any more is begun anew", arguments: [401, 403, 404, 410])
  func resumedGone(status: Int) {
    var script = Script(resuming: CA.url("order/1"))
    script.play(.failed(.read(CA.url("order/1")), CA.refusal("malformed", status: status)))
    #expect(script.ending == .beginAnew("the CA does not know the order any more"))
  }

  @Test("an order is not given up because of the account, the pace, or a page that is not the CA's")
  func resumedNotGone() {
    var page = ACMEError(.badAnswer, "https://ca.example/", "a page of a proxy's")
    page.status = 404
    let account = ["userActionRequired", "accountDoesNotExist", "rateLimited"].map { CA.refusal($0, status: 403) }
    for error in account + [page] {
      var script = Script(resuming: CA.url("order/1"))
      script.play(.failed(.read(CA.url("order/1")), error))
      #expect(script.ending == .failed(.request(error)))
    }
  }

  @Test("a certificate for another key on an order that was taken up is another's, and the order is begun anew")
  func resumedForeign() {
    var script = Script(resuming: CA.url("order/1"))
    script.play(.read(CA.order(.valid, certificate: "certificate/1"), retryAfter: nil))
    script.play(.failed(.download(CA.url("certificate/1")), ACMEError(.wrongCertificate, "", "it is for another key")))
    #expect(script.ending == .beginAnew("it is for another key"))
  }

  @Test("orderNotReady is answered by asking for the order and finalizing again")
  func notReady() {
    var script = Script.finalizing()
    script.play(.notReady(retryAfter: nil))
    #expect(script.sent == [.read(CA.url("order/1"))])
    script.play(.read(CA.order(.pending), retryAfter: nil))
    #expect(script.sent == [.read(CA.url("order/1"))])
    script.play(.read(CA.order(.ready), retryAfter: nil))
    #expect(script.actions == [.send(.finalize(CA.url("finalize/1")), after: .zero)])
  }

  @Test("a valid order in the answer to finalize is a success")
  func validAtFinalize() {
    var script = Script.finalizing()
    script.play(.finalized(CA.order(.valid, certificate: "certificate/1"), retryAfter: nil))
    #expect(script.sent == [.download(CA.url("certificate/1"))])
  }

  @Test("a state that nobody knows is no success")
  func unknownState() {
    var script = Script.finalizing()
    script.play(.finalized(CA.order(.unknown("marvellous"), certificate: "certificate/1"), retryAfter: nil))
    #expect(script.sent == [.read(CA.url("order/1"))])
    var proving = Script.authorizing()
    proving.play(.authorizationRead(authorization, CA.authorization(.unknown("splendid"), challenge: .processing), retryAfter: nil))
    #expect(proving.ending == nil && !proving.actions.contains(.enter(.finalizing)))
  }

  @Test("an order that becomes invalid fails with the CA's reason")
  func invalidAfterFinalize() {
    var script = Script.finalizing()
    script.play(.finalized(CA.order(.invalid, error: CA.problem("badCSR")), retryAfter: nil))
    #expect(script.ending == .failed(.order(CA.problem("badCSR"))))
  }

  @Test("polling starts short and grows, and a Retry-After is obeyed")
  func pace() {
    var script = Script.finalizing()
    var delays: [Duration] = []
    for _ in 1...20 {
      script.play(.read(CA.order(.processing), retryAfter: nil))
      delays += script.delays
    }
    #expect(delays.first == .milliseconds(10))
    #expect(delays == delays.sorted())
    #expect(delays.last == PollPace.longest)
    script.play(.read(CA.order(.processing), retryAfter: .seconds(7)))
    #expect(script.delays == [.seconds(7)])
  }

  @Test("a CA that does not come to an end fails this call in time")
  func overdue() {
    var script = Script.finalizing()
    script.now = script.now + OrderMachine.timeLimit
    script.play(.finalized(CA.order(.processing), retryAfter: nil))
    #expect(script.ending == .failed(.overdue(.finalizing, retryAfter: nil)))
  }

  @Test("a CA that wants to be asked later than this call can is obeyed, and its wish is passed on")
  func tooLate() {
    let late = OrderMachine.timeLimit + .seconds(1)
    var processing = Script.finalizing()
    processing.play(.finalized(CA.order(.processing), retryAfter: late))
    #expect(processing.ending == .failed(.overdue(.finalizing, retryAfter: late)))
    var busy = Script.finalizing()
    busy.play(.finalized(CA.order(.processing), retryAfter: nil))
    let error = CA.refusal("rateLimited", status: 429, retryAfter: late)
    busy.play(.failed(.read(CA.url("order/1")), error))
    #expect(busy.ending == .failed(.request(error)))
  }

  @Test("a request that is refused for one name does not hide that another name has failed")
  func refusedBesideFailure() {
    var script = Script.authorizing(["a.example", "b.example"])
    script.prove("a.example")
    script.prove("b.example")
    script.play(.authorizationRead(authorization, CA.authorization(.invalid), retryAfter: nil))
    script.play(.failed(.readAuthorization(CA.url("authz/b.example")), CA.refusal("malformed", status: 400)))
    #expect(script.ending == .failed(.names([NameFailure(name: CA.name("a.example"), cause: .unusable(.invalid))])))
  }

  @Test("only failures in a row count")
  func failuresInARow() {
    var script = Script.finalizing()
    for _ in 1...(2 * OrderMachine.mostAttempts) {
      script.play(.failed(.read(CA.url("order/1")), CA.refusal("serverInternal", status: 500)))
      #expect(script.ending == nil)
      script.play(.read(CA.order(.processing), retryAfter: nil))
    }
  }

  @Test("when one name fails, the others may finish so that all that are wrong are named")
  func failingNames() {
    var script = Script.authorizing(["a.example", "b.example", "c.example"])
    for name in ["a.example", "b.example", "c.example"] { script.prove(name) }
    let refused = CA.problem("connection")
    script.play(.authorizationRead(authorization, CA.authorization(.invalid, challenge: .invalid, error: refused), retryAfter: nil))
    #expect(script.actions == [.withdraw(CA.publication()), .waitForStragglers(OrderMachine.stragglerLimit)])
    script.play(.authorizationRead(CA.url("authz/b.example"), CA.authorization(.valid, of: "b.example"), retryAfter: nil))
    #expect(script.ending == nil)
    script.play(
      .authorizationRead(
        CA.url("authz/c.example"), CA.authorization(.invalid, of: "c.example", challenge: .invalid, error: refused), retryAfter: nil))
    #expect(
      script.ending
        == .failed(
          .names([
            NameFailure(name: CA.name("a.example"), cause: .refused(refused)), NameFailure(name: CA.name("c.example"), cause: .refused(refused)),
          ])))
  }

  let many = ["a.example", "b.example", "c.example", "d.example", "e.example"]

  @Test("many names are watched by one request for their order, once all are posted")
  func watchedOrder() {
    var script = Script.authorizing(many)
    for name in many.dropLast() {
      script.prove(name)
      #expect(script.sent.isEmpty)
    }
    script.prove("e.example")
    #expect(script.actions == [.send(.read(CA.url("order/1")), after: PollPace.shortest)])
    script.play(.read(CA.order(.pending, names: many), retryAfter: .seconds(1)))
    #expect(script.actions == [.send(.read(CA.url("order/1")), after: .seconds(1))])
    script.play(.read(CA.order(.ready, names: many), retryAfter: nil))
    #expect(script.sent == [.finalize(CA.url("finalize/1"))])
    #expect(script.actions.count { if case .withdraw = $0 { true } else { false } } == many.count)
    #expect(script.actions.count { if case .validated = $0 { true } else { false } } == many.count)
  }

  @Test("an order that is watched for long, or has become invalid, has each of its names looked at", arguments: [Order.Status.pending, .invalid])
  func watchedNames(status: Order.Status) {
    var script = Script.watching(many)
    for _ in 1...20 where script.sent == [.read(CA.url("order/1"))] { script.play(.read(CA.order(status, names: many), retryAfter: nil)) }
    #expect(Set(script.sent) == Set(many.map { .readAuthorization(CA.url("authz/\($0)")) }))
    let refused = CA.problem("dns")
    script.play(.authorizationRead(authorization, CA.authorization(.invalid, challenge: .invalid, error: refused), retryAfter: nil))
    #expect(script.actions.contains(.waitForStragglers(OrderMachine.stragglerLimit)))
    for name in many.dropFirst() {
      #expect(script.ending == nil)
      script.play(.authorizationRead(CA.url("authz/\(name)"), CA.authorization(.valid, of: name), retryAfter: nil))
    }
    #expect(script.ending == .failed(.names([NameFailure(name: CA.name("a.example"), cause: .refused(refused))])))
  }

  @Test("an order that becomes ready while its last name is looked at is finalized once")
  func watchedOnce() {
    var script = Script.authorizing(many)
    for name in many.dropLast() { script.play(.authorizationRead(CA.url("authz/\(name)"), CA.authorization(.valid, of: name), retryAfter: nil)) }
    script.play(.authorizationRead(CA.url("authz/e.example"), CA.authorization(.pending, of: "e.example"), retryAfter: nil))
    script.play(.published(authorization: CA.url("authz/e.example")))
    script.play(.challengePosted(authorization: CA.url("authz/e.example"), CA.challenge(.processing, of: "e.example"), retryAfter: nil))
    #expect(script.sent == [.read(CA.url("order/1"))])
    script.play(.authorizationRead(CA.url("authz/e.example"), CA.authorization(.valid, of: "e.example"), retryAfter: nil))
    #expect(script.sent.isEmpty)
    script.play(.read(CA.order(.ready, names: many), retryAfter: nil))
    #expect(script.sent == [.finalize(CA.url("finalize/1"))])
  }

  @Test("a look at a name that fails when the order has gone on is of no consequence")
  func lateFailure() {
    var script = Script.finalizing()
    script.play(.failed(.readAuthorization(authorization), CA.refusal("malformed", status: 404)))
    #expect(script.actions.isEmpty)
    script.play(.finalized(CA.order(.valid, certificate: "certificate/1"), retryAfter: nil))
    #expect(script.sent == [.download(CA.url("certificate/1"))])
  }

  @Test("when a request alone has failed, what the CA may be looking for stays in place")
  func keptInPlace() {
    var script = Script.authorizing(["a.example", "b.example"])
    script.prove("a.example")
    script.prove("b.example")
    let error = CA.refusal("unauthorized", status: 403)
    script.play(.failed(.readAuthorization(authorization), error))
    #expect(script.actions == [.end(.failed(.request(error)))])
  }

  @Test("names that do not finish are not waited for longer than the limit, and are withdrawn")
  func stragglers() {
    var script = Script.authorizing(["a.example", "b.example"])
    script.prove("a.example")
    script.prove("b.example")
    script.play(.authorizationRead(authorization, CA.authorization(.invalid), retryAfter: nil))
    script.play(.waitedForStragglers)
    #expect(script.actions.contains(.withdraw(CA.publication("b.example"))))
    #expect(script.ending == .failed(.names([NameFailure(name: CA.name("a.example"), cause: .unusable(.invalid))])))
  }

  @Test(
    "an authorization in a state of no use fails its name",
    arguments: [Authorization.Status.deactivated, .expired, .revoked])
  func unusable(status: Authorization.Status) {
    var script = Script.authorizing()
    script.play(.authorizationRead(authorization, CA.authorization(status), retryAfter: nil))
    #expect(script.ending == .failed(.names([NameFailure(name: CA.name("a.example"), cause: .unusable(status))])))
  }

  @Test("a CA without an http-01 challenge for a name fails that name")
  func noChallenge() {
    var script = Script.authorizing()
    script.play(.authorizationRead(authorization, CA.authorization(.pending, type: "dns-01"), retryAfter: nil))
    #expect(script.ending == .failed(.names([NameFailure(name: CA.name("a.example"), cause: .noChallenge)])))
  }

  @Test("an answer that is not in place is not posted, and fails its name")
  func notPublished() {
    var script = Script.authorizing()
    script.play(.authorizationRead(authorization, CA.authorization(.pending), retryAfter: nil))
    script.play(.notPublished(authorization: authorization, reason: "no responder"))
    #expect(script.sent.isEmpty)
    #expect(script.ending == .failed(.names([NameFailure(name: CA.name("a.example"), cause: .notPublished("no responder"))])))
  }

  @Test("newOrder is not repeated by itself, for it may have made an order")
  func newOrderOnce() {
    var script = Script()
    script.play(.failed(.create, ACMEError(.unreachable, "", "")))
    #expect(script.sent.isEmpty)
    #expect(script.ending == .failed(.request(ACMEError(.unreachable, "", ""))))
  }

  @Test("a challenge whose answer was lost is looked at before it is posted again")
  func lostChallenge() {
    var script = Script.authorizing()
    script.play(.authorizationRead(authorization, CA.authorization(.pending), retryAfter: nil))
    script.play(.published(authorization: authorization))
    let request = OrderRequest.postChallenge(CA.url("challenge/a.example"), authorization: authorization)
    script.play(.failed(request, ACMEError(.unreachable, "", "")))
    #expect(script.sent == [.readAuthorization(authorization)])
    script.play(.authorizationRead(authorization, CA.authorization(.pending, challenge: .processing), retryAfter: nil))
    #expect(script.sent == [.readAuthorization(authorization)])
  }

  @Test("a challenge that did not arrive is posted again")
  func unpostedChallenge() {
    var script = Script.authorizing()
    script.play(.authorizationRead(authorization, CA.authorization(.pending), retryAfter: nil))
    script.play(.published(authorization: authorization))
    let request = OrderRequest.postChallenge(CA.url("challenge/a.example"), authorization: authorization)
    script.play(.failed(request, ACMEError(.timedOut, "", "")))
    script.play(.authorizationRead(authorization, CA.authorization(.pending), retryAfter: nil))
    #expect(script.sent == [request])
  }

  @Test("a finalize whose answer was lost is followed by a look at the order")
  func lostFinalize() {
    var script = Script.finalizing()
    script.play(.failed(.finalize(CA.url("finalize/1")), ACMEError(.unreachable, "", "")))
    #expect(script.sent == [.read(CA.url("order/1"))])
  }

  @Test("a busy CA is asked again with growing pauses, and as late as it wishes, but not for ever")
  func busy() {
    var script = Script.finalizing()
    script.play(.finalized(CA.order(.processing), retryAfter: nil))
    let request = OrderRequest.read(CA.url("order/1"))
    script.play(.failed(request, CA.refusal("serverInternal", status: 503, retryAfter: .seconds(5))))
    #expect(script.actions == [.send(request, after: .seconds(5))])
    var pauses: [Duration] = []
    for _ in 3...OrderMachine.mostAttempts {
      script.play(.failed(request, CA.refusal("serverInternal", status: 500)))
      pauses += script.delays
    }
    #expect(pauses == pauses.sorted() && pauses.count == OrderMachine.mostAttempts - 2)
    script.play(.failed(request, CA.refusal("serverInternal", status: 500)))
    #expect(script.ending == .failed(.request(CA.refusal("serverInternal", status: 500))))
  }

  @Test("what is refused for good ends the order at once")
  func refused() {
    var script = Script.finalizing()
    script.play(.failed(.finalize(CA.url("finalize/1")), CA.refusal("badCSR", status: 400)))
    #expect(script.ending == .failed(.request(CA.refusal("badCSR", status: 400))))
  }

  @Test("nothing happens after the end")
  func over() {
    var script = Script.finalizing()
    script.play(.finalized(CA.order(.invalid), retryAfter: nil))
    script.play(.read(CA.order(.valid, certificate: "certificate/1"), retryAfter: nil))
    #expect(script.actions.isEmpty)
  }
}
