public import AppWebsocket
public import ArgumentParser
public import PKI

extension ConnectorURL: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
}

extension SubjectPublicKeyPin: ExpressibleByArgument {
  /// The pin that an argument spells.
  public init?(argument: String) { self.init(argument) }
}

extension ShortText: ExpressibleByArgument {
  /// The text of an argument.
  public init?(argument: String) { self.init(argument) }
}

extension KeyKind: ExpressibleByArgument {}
