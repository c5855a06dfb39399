/// What ties a message to the one that it answers or follows from: the properties `src` and `api`, echoed as they came.
public struct Correlation: Sendable, Hashable {
  /// The most characters (Unicode scalars) of either.
  public static let maximumLength = 64

  /// Nothing to echo.
  public static let none = Correlation()

  /// What the asking end has chosen to know the answer by.
  public let src: String?
  /// The protocol inside the connection; none for the connector's own.
  public let api: String?

  /// What is to be echoed. It fails when one is too long.
  public init?(src: String?, api: String? = nil) {
    guard [src, api].allSatisfy({ ($0?.unicodeScalars.count ?? 0) <= Self.maximumLength }) else { return nil }
    self.src = src
    self.api = api
  }

  private init() {
    src = nil
    api = nil
  }
}
