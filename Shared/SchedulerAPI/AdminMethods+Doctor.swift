public import PKI
public import Telemetry
public import Varlink

/// How much what the doctor found matters.
public enum FindingSeverity: String, Codable, Sendable, Hashable, CaseIterable {
  /// It is as it should be.
  case fine
  /// It may be wrong, or may only look so from the connector.
  case doubtful
  /// The CA will fail, or is about to.
  case wrong
}

/// What the doctor found about a name, as an administrator sees it.
public struct FindingView: Codable, Sendable, Hashable {
  /// A stable word for its kind.
  public var code: String
  /// How much it matters.
  public var severity: FindingSeverity
  /// The name.
  public var name: DNSName
  /// The address, where it is about one.
  public var address: String?
  /// One sentence.
  public var text: String

  /// Something that was found.
  public init(code: String, severity: FindingSeverity, name: DNSName, address: String? = nil, text: String) {
    self.code = code
    self.severity = severity
    self.name = name
    self.address = address
    self.text = text
  }
}

extension AdminMethods {
  /// Finds out whether names can be validated, and why not.
  public struct Diagnose: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which names.
    public struct Parameters: Codable, Sendable, Traced {
      /// The names.
      public var names: [DNSName]
      /// The caller's trace.
      public var trace: TraceContext?

      /// Names to look at.
      public init(names: [DNSName]) {
        self.names = names
      }
    }

    /// What was found about one name.
    public struct Reply: Codable, Sendable, Hashable {
      /// The name.
      public var name: DNSName
      /// The gravest first.
      public var findings: [FindingView]

      /// What was found about a name.
      public init(name: DNSName, findings: [FindingView]) {
        self.name = name
        self.findings = findings
      }
    }
  }
}
