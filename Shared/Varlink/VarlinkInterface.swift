/// An interface: its name, its text as it is served by introspection, and the errors it declares.
public struct VarlinkInterface: Sendable {
  /// The reverse-domain name, as `org.varlink.service`.
  public let name: String
  /// The interface text, exactly as it is in the project's `.varlink` file.
  public let text: String
  /// The types of the errors that the text declares.
  public let faults: [any VarlinkFault.Type]

  /// An interface whose text is embedded in the program.
  public init(_ name: String, text: [UInt8], faults: [any VarlinkFault.Type] = []) {
    self.name = name
    self.text = String(decoding: text, as: UTF8.self)
    self.faults = faults
  }

  func fault(qualified name: String) -> (any VarlinkFault.Type)? {
    faults.first { "\(self.name).\($0.name)" == name }
  }
}

/// Who serves, as `org.varlink.service.GetInfo` tells it.
public struct VarlinkServiceDescription: Sendable {
  /// Who makes the program.
  public let vendor: String
  /// Which program this is.
  public let product: String
  /// Its version.
  public let version: String
  /// Where to read about it.
  public let url: String

  /// A description of one service.
  public init(vendor: String, product: String, version: String, url: String) {
    self.vendor = vendor
    self.product = product
    self.version = version
    self.url = url
  }
}
