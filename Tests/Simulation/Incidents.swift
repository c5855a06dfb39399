import PKI

/// What goes wrong, and when, counted from the start. Between two of them there is time to recover.
struct Incidents {
  /// The CA does not work.
  let outages: [Range<Instant>]
  /// The connector does not run.
  let stop: Range<Instant>
  /// The connector's clock is wrong: ahead, then behind as after a start without a battery.
  let clocks: [(during: Range<Instant>, offset: Duration)]
  /// The state that the connector goes back to later, for its disk is lost: orders, certificates and what was spent meanwhile are forgotten.
  let backup: Instant
  let restore: Instant
  /// Orders are taken, and nothing comes of them for so long.
  let stall: Range<Instant>
  /// Names are not answered for yet when their devices come, and then they are.
  let arrival: Instant
  let preparation = Duration.days(2)
  /// Devices are replaced by others that ask for the same names; an administrator takes so long to approve that.
  let replacement: Instant
  let deliberation = Duration.days(3)
  /// The devices that came late are given a second name.
  let growth: Instant
  /// The CA asks for every fourth certificate to be replaced, and revokes them a day later.
  let recall: Instant
  let revocation: Instant
  let recalledShare = 4

  init(start: Instant) {
    func day(_ number: Int) -> Instant { start + .days(number) }
    stall = day(1)..<day(1) + .seconds(43_200)
    arrival = day(20)
    replacement = day(100)
    growth = day(430)
    // The first one is in the days of the first renewals, when many orders are made.
    outages = [day(60)..<day(61), day(300)..<day(302)]
    stop = day(200)..<day(205)
    clocks = [(day(250)..<day(250) + .seconds(21_600), .days(2)), (day(270)..<day(271), .zero - .days(30))]
    backup = day(330)
    restore = day(337)
    recall = day(400)
    revocation = day(401)
  }
}
