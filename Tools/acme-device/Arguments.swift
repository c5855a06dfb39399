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

extension ListenAddress: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
}

/// What a host does for others.
enum Role: String, ExpressibleByArgument, CaseIterable {
  case reverseProxy = "reverse-proxy"
}

extension KeyKind: ExpressibleByArgument {}
