public import Varlink

extension VarlinkInterface {
  /// `org.acmeconnector.Metrics`
  public static let metrics = VarlinkInterface(
    "org.acmeconnector.Metrics", text: PackageResources.org_acmeconnector_Metrics_varlink, faults: [Restarting.self])
}

/// The methods of `org.acmeconnector.Metrics`; what they promise is in the interface text.
public enum Metrics {
  /// Reads the counters, gauges and histograms of one service.
  public struct Read: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.metrics
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace

    /// The readings.
    public struct Reply: Codable, Sendable {
      /// Prometheus text exposition format, version 0.0.4.
      public var exposition: String

      /// Readings in the text exposition format.
      public init(exposition: String) {
        self.exposition = exposition
      }
    }
  }
}
