public import PKI
public import Telemetry
public import Varlink

extension ACMEClient {
  /// A server of a name, and the certificate that it serves.
  public struct Sighting: Codable, Sendable, Hashable {
    /// Its address.
    public var address: String
    /// The leaf that it serves; nil if there was none to be seen.
    public var fingerprint: Fingerprint?
    /// Why there was none.
    public var text: String?

    /// What was seen at an address.
    public init(address: String, fingerprint: Fingerprint? = nil, text: String? = nil) {
      self.address = address
      self.fingerprint = fingerprint
      self.text = text
    }
  }

  /// Looks which certificate the servers of a name serve.
  public struct Observe: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient

    /// Where to look.
    public struct Parameters: Codable, Sendable, Traced {
      /// The name.
      public var name: DNSName
      /// The TCP port.
      public var port: Int
      /// Whether addresses that are not public may be connected to.
      public var privateAddresses: Bool
      /// The caller's trace.
      public var trace: TraceContext?

      /// A name and a port.
      public init(name: DNSName, port: Int, privateAddresses: Bool) {
        self.name = name
        self.port = port
        self.privateAddresses = privateAddresses
      }
    }

    /// What was seen.
    public struct Reply: Codable, Sendable, Hashable {
      /// One for each address; none where the name has no address.
      public var sightings: [Sighting]

      /// What was seen.
      public init(sightings: [Sighting]) {
        self.sightings = sightings
      }
    }
  }
}
