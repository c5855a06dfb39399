public import Logging

/// What a log record says apart from its sentence: one name for one thing in all services, so that `journalctl DEVICE=…` finds what any of them
/// did for a device. In the journal the name stands in capitals.
public enum LogField: String, CaseIterable, Sendable {
  // Whom and what it is about.
  /// The scheduler's id of a device.
  case device
  /// A DNS name.
  case name
  /// The URL of an order at the CA.
  case order
  /// The scheduler's id of a request.
  case request
  /// The serial number of a certificate, hexadecimal.
  case serial

  /// Who has issued a certificate.
  case issuer
  /// When a certificate ends.
  case end

  // Why, and how it went.
  /// A word of the device protocol for what is wrong.
  case problem
  /// A sentence that somebody else gave for it.
  case reason
  /// Where something stands, in a word.
  case state
  /// How many there are or were.
  case count
  /// The most there can be.
  case limit
  /// How long it waits or lasts.
  case pause
  /// How long it took, in milliseconds.
  case duration

  // Connections.
  /// An address of this machine that is listened at.
  case address
  /// The other end of a connection.
  case peer
  /// A socket of a service, by its name.
  case socket
  /// A method, of a Varlink interface or of HTTP.
  case method
  /// Who called over a Unix socket, for the audit.
  case uid

  // The CA.
  /// The URL of its directory.
  case directory
  /// The URL of an account.
  case account
  /// The URL that was asked.
  case url
  /// What the request was for.
  case endpoint
  /// The HTTP status.
  case status
  /// The type of its problem document.
  case acmeType = "acme_type"
  /// The id under which the CA has logged the request.
  case caRequest = "ca_request"
  /// How many chains it offered.
  case chains

  // Challenges at port 80.
  /// The token of a challenge.
  case token
  /// The Host of an HTTP request.
  case host
  /// Which answer to the same token it is.
  case hit

  // Devices and administrators.
  /// The name of a login.
  case login
  /// What a device calls itself at login.
  case sip
  /// What devices know the gateway's key by.
  case pin
  /// The path of a URL.
  case path
  /// How many like it were left out before.
  case unsaid
  /// A message as it came or went, without what is secret in it.
  case text
  /// A file.
  case file
  /// The name of a setting.
  case setting
  /// The value of a setting.
  case value

  /// Which kind of event it is, by its word; see ``JournalEvent``.
  case event
  /// Which trace category wrote it; see ``TraceCategory``.
  case category
}

/// The fields of one record. A field whose value is nil is left out.
public struct LogFields: Sendable, ExpressibleByDictionaryLiteral {
  /// The same as swift-log takes it.
  public private(set) var metadata: Logger.Metadata = [:]

  /// Fields and their values.
  public init(dictionaryLiteral elements: (LogField, (any CustomStringConvertible)?)...) {
    for (field, value) in elements { self[field] = value }
  }

  /// One field, to be set.
  public subscript(field: LogField) -> (any CustomStringConvertible)? {
    get { metadata[field.rawValue] }
    set { metadata[field.rawValue] = newValue.map { "\($0)" } }
  }

  /// These fields and others; where both have one, the other's counts.
  public func merging(_ others: LogFields) -> LogFields {
    var fields = self
    fields.metadata.merge(others.metadata) { $1 }
    return fields
  }

  /// The fields of the record of an event.
  func marked(as event: JournalEvent) -> Logger.Metadata {
    var metadata = metadata
    metadata[LogField.event.rawValue] = "\(event)"
    metadata[JournalEvent.idKey] = "\(event.id)"
    return metadata
  }
}
