import PKI

/// What the connector has on its disk.
struct ConnectorState {
  var slots: [Slot]
  var ledger = Ledger([:])
  var health = AuthorityHealth()
}
