import PKI
import SchedulerAPI

/// Why a device or an administrator does not get what was asked for. Translated to the words of the interface at its edge.
struct Refusal: Error, Hashable {
  /// A word of the device protocol or of the administrators' interface; open.
  struct Word: RawRepresentable, Hashable {
    let rawValue: String

    static let badMessage = Word(rawValue: "badMessage")
    static let missingProperty = Word(rawValue: "missingProperty")
    static let nameNotAllowed = Word(rawValue: "nameNotAllowed")
    static let newKeyRequired = Word(rawValue: "newKeyRequired")
    static let nonPublicName = Word(rawValue: "nonPublicName")
    static let notAllowed = Word(rawValue: "notAllowed")
    static let retired = Word(rawValue: "retired")
    static let rateLimited = Word(rawValue: "rateLimited")
    static let notRevoked = Word(rawValue: "notRevoked")
    static let notConfigured = Word(rawValue: "notConfigured")
    static let tooManyNames = Word(rawValue: "tooManyNames")
    static let badValue = Word(rawValue: "badValue")
    static let fixedSetting = Word(rawValue: "fixedSetting")
    static let unknownSetting = Word(rawValue: "unknownSetting")
  }

  let word: Word
  /// One sentence.
  let text: String
  /// The name it concerns.
  let name: DNSName?

  init(_ word: Word, _ text: String, name: DNSName? = nil) {
    self.word = word
    self.text = text
    self.name = name
  }

  /// A CSR that is refused for what it is. The device is told the sentence alone, so the name stands in it.
  init(_ rejection: SigningRequestRejection) {
    self.init(Word(rawValue: rejection.code.rawValue), rejection.description, name: rejection.name.flatMap { DNSName($0) })
  }
}

/// There is no such thing, or it belongs to another device.
struct NotFound: Error, Hashable {
  /// Of what kind.
  let what: String
  /// Which, so that an administrator knows what he has asked for.
  let which: String

  static func device(_ id: DeviceID) -> NotFound { NotFound(what: "device", which: id.rawValue) }
  static func request(_ id: RequestID) -> NotFound { NotFound(what: "request", which: id.rawValue) }
}
