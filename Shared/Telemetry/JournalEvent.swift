public import Logging

/// The events that an administrator should know, each with its `MESSAGE_ID` (systemd.journal-fields(7)): `journalctl MESSAGE_ID=…` finds all of a kind,
/// and `journalctl -x` explains each from deploy/systemd/catalog. An id is made once (`systemd-id128 new`) and never changes its meaning.
public enum JournalEvent: String, CaseIterable, Sendable {
  // Devices and their certificates.
  /// A device came for the first time.
  case deviceFirstSeen = "8d604a8c9b3742d0863f269e439c4751"
  /// An administrator retired a device.
  case deviceRetired = "57beb83613554fe8b975cd7539f5d77d"
  /// An administrator took a retired device back.
  case deviceReinstated = "44c550119b1744769c99f0ba6dda5525"
  /// A device took the place of another one.
  case deviceReplaced = "2790542b766a41acafa14c61d687a829"
  /// A CSR was taken, and is on disk.
  case requestAccepted = "e64f126b90074693bd5dc48eb972bed3"
  /// A CSR cannot succeed, or its device may not have it.
  case requestRefused = "0858449f6a6e46a6b744444797abaf8e"
  /// A request gave way to a newer one.
  case requestSuperseded = "3dcf99c4924848cda7c7fd4b5d257222"
  /// A device asks for a name that another one holds.
  case nameClaimed = "a28e03d4296a4d68bfb8c88336eb67c4"
  /// An administrator gave a name to another device.
  case nameApproved = "c36ba878a4004db1acf922a2f0582495"
  /// The doctor found something wrong with a name that is ordered for the first time.
  case nameDiagnosed = "754932e546b0447e996c6865ed73ee6c"
  /// The CA, or the way to it, did not give a certificate.
  case orderFailed = "53c3a976bb124ed88be702b474e9a981"
  /// The CA issued a certificate, and it is on disk.
  case certificateIssued = "de183e52033b469484360969a9d3c139"
  /// A certificate was sent to its device.
  case certificateDelivered = "fad5f968d8924c97931d0543e4de4e24"
  /// A device confirmed that it uses its certificate.
  case certificateInstalled = "55f0d593672b4eab88add663a8a5c01d"
  /// A certificate was seen in use.
  case certificateServed = "478eaa2f257d430fb2e2e0d94630a183"
  /// A device could not take its certificate into use.
  case installFailed = "d793e7ce1a3f489bb92453add12f8d6e"
  /// A certificate is to be renewed.
  case renewalDue = "9b17b8109d00431d97350085aa20dc1a"
  /// The CA has a page about when it wants a certificate renewed.
  case renewalExplained = "074dab22270b4967a949ffb766b88b82"
  /// The CA wants a certificate replaced at once.
  case renewalPressing = "66e2f12fe46f478b93a24a2ad14fcc00"
  /// Many certificates are renewed ahead of their schedules.
  case campaignBegan = "e977e96320e14550b532007f1f617e9b"
  /// Not all of them can be, or are, renewed in time.
  case campaignLate = "229b87d48d294a6fa48a4da79c55066f"
  /// They are renewed.
  case campaignEnded = "8583481c232e4b74a604a17b0caf4e8d"
  /// A certificate was revoked on the connector's behalf.
  case certificateRevoked = "4d737339a4174b51bc8a36bd063cc6b4"
  /// Something is wrong from now on, or graver than it was.
  case alarmRaised = "3d36ab9278c84e2693adcd106aa38e1e"
  /// It is over.
  case alarmCleared = "7bb58b74619e4593a5615ff0b95af5bd"

  // The CA.
  /// The CA, or the account there, cannot be used.
  case authorityFailed = "35307b5450fe48bdbff4d275c964770b"
  /// The CA and the account can be used again.
  case authorityRecovered = "e0756283407f480e90ee796ba59f1500"
  /// An account was made at the CA.
  case accountMade = "adf3c756f20d4a75bff10f9c47cac497"
  /// The CA knew the account's key already.
  case accountRecovered = "fa2698f1055842528a3915216f031b70"
  /// The CA does not know the account any more, or its key is gone.
  case accountLost = "bd1ac75804c447abbb986443a82ec4f0"
  /// The CA was told how to reach a person.
  case accountUpdated = "b3f0df9251074c06b371f4c3d9f17006"
  /// The account has another key.
  case accountKeyChanged = "b2d0490f477848e7b7da48ee54157042"
  /// The account was ended for good.
  case accountDeactivated = "5bbd5d6d99f84c5aa118f4c5c304e163"
  /// The account cannot be used as it is.
  case accountProblem = "6fe8b624b0b341a9aa508efba5a5bcf8"
  /// An order may have been made twice.
  case orderRepeated = "49d86dede4bb479f904d09de21555b6b"
  /// The CA offers no chain to the preferred root.
  case preferredChainMissing = "467d45467dc04115ab991350385791d6"

  // Challenges.
  /// Nobody has put the answer to a challenge in place.
  case challengeNotInPlace = "9770592162c745eeae6637e6d01b441a"
  /// There are more responders than are asked.
  case respondersLeftOut = "80c3dc2827894da89bf26564ea798742"
  /// Somebody asks port 80 for what is not there; told once a minute.
  case straysAtPort80 = "7a1ff52199f94f84b83db87410b21e15"

  // The door.
  /// There is no login, so nobody can come in.
  case loginMissing = "7390cc45e1644b0fbc8d1358d60c3935"
  /// A login proves no secret.
  case loginRefused = "5c1af27a3d6b4638a8d65fc3b84e1769"
  /// There were too many wrong logins.
  case loginBlocked = "9bd622eec06249fa937c2c2b6eaaf42b"
  /// There are too many connections; told once a minute.
  case doorCrowded = "29d244ba0915427789d7ed04f6eae94f"
  /// A login was made.
  case loginAdded = "f1e86780df444a7196eaaf58a096b025"
  /// A login has a new secret.
  case loginRotated = "ce1130505d1048fe9d9af66d8c7f2373"
  /// A login was removed.
  case loginRemoved = "e38692938f334cb88c63307bcd24c320"
  /// A service made itself a key.
  case keyMade = "a70901e87de64fca9e2091c8d73ed039"
  /// The gateway serves another certificate.
  case ownCertificateServed = "a8adbcac93a945ac8c1c69a47bb747b5"
  /// The gateway cannot obtain its own certificate.
  case ownCertificateFailed = "25b5238984704a929100d989641c1df9"

  // The services themselves.
  /// A service cannot start.
  case startFailed = "28407bb326a14a92b8c233b37abe9825"
  /// A service ended by a failure.
  case serviceFailed = "986d5d967f8a4b3babdf0b1bbce5b7f2"
  /// A socket was passed to a service that does not know it.
  case socketUnserved = "6f2656476af3402cb4b2c60e1fa5d03b"
  /// Another service of the connector does not answer.
  case serviceUnanswered = "0ced9f91eef1452782d15921fd8e8bc0"
  /// An administrator changed a setting.
  case settingChanged = "98d9a7bfa4094b96a7cf2a61ae0cb58f"
  /// A backup was put in the place of a newer state.
  case stateRestored = "b4db585021754052ab7a49ab0a338365"
  /// A setting means nothing to the service.
  case settingIgnored = "6eff72fb54504b65bc3d499e8dc2ea2b"
  /// The settings could not be read again.
  case reloadFailed = "a7a3f439c3d54b31b83df885642e4a6e"
  /// A file of the service could not be read, in whole or in part.
  case fileDamaged = "6963777ea7534011bfd49da0e0f447fe"
  /// The service could not write to its disk.
  case storingFailed = "b6724bf4790f416c8db20d5db697e770"
  /// A fault of the connector's own.
  case internalFault = "3a0960203e524fadb7014e9b2268cdbb"

  /// The `MESSAGE_ID`: 32 lowercase hexadecimal digits.
  public var id: String { rawValue }

  /// The key of the metadata that a sink makes the `MESSAGE_ID` of.
  static let idKey = "messageID"

  /// How grave it is.
  public var level: Logger.Level {
    switch self {
    case .startFailed, .serviceFailed: .critical
    case .orderFailed, .authorityFailed, .accountProblem, .fileDamaged, .storingFailed, .internalFault: .error
    case .requestRefused, .nameClaimed, .nameDiagnosed, .installFailed, .renewalPressing, .campaignBegan, .campaignLate, .alarmRaised, .accountLost,
      .orderRepeated, .preferredChainMissing, .challengeNotInPlace, .respondersLeftOut, .loginMissing, .ownCertificateFailed, .loginRefused,
      .loginBlocked, .doorCrowded, .socketUnserved, .serviceUnanswered, .settingIgnored, .stateRestored, .reloadFailed:
      .warning
    case .deviceRetired, .deviceReinstated, .deviceReplaced, .campaignEnded, .certificateRevoked, .alarmCleared, .authorityRecovered, .straysAtPort80,
      .loginAdded, .loginRotated, .loginRemoved, .keyMade, .ownCertificateServed, .settingChanged, .accountUpdated, .accountKeyChanged,
      .accountDeactivated:
      .notice
    case .deviceFirstSeen, .requestAccepted, .requestSuperseded, .nameApproved, .certificateIssued, .certificateDelivered, .certificateInstalled,
      .certificateServed, .renewalDue, .renewalExplained, .accountMade, .accountRecovered:
      .info
    }
  }
}
