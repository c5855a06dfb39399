/// What a session has to say for the log. It holds names of messages and properties, and no values.
public enum SessionRemark: Sendable, Hashable, CustomStringConvertible {
  /// Nobody knows this message. It may be one that a real device sends and the protocol lacks, so its properties are of interest.
  case unknown(MessageName, properties: [String])
  /// A message of this name, if it has one, could not be read.
  case unreadable(MessageName?, MessageError)

  init(unknown envelope: Envelope) {
    self = .unknown(envelope.name, properties: envelope.propertyNames.prefix(20).map { ShortText(clipping: $0).value })
  }

  /// A sentence for the log.
  public var description: String {
    switch self {
    case .unknown(let name, let properties): "The message \(name) with \(properties.joined(separator: ", ")) is unknown."
    case .unreadable(let name?, let error): "The message \(name) cannot be read. \(error)"
    case .unreadable(nil, let error): "A message cannot be read. \(error)"
    }
  }
}
