/// What this program is.
public enum Product {
  /// The version of all services, as `org.varlink.service.GetInfo` tells it.
  public static let version = "0.1.0"
}
