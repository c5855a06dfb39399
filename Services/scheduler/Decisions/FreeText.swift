import PKI
import Telemetry

extension String {
  /// Text of others as it may be kept and shown: one line without anything that changes how it looks, of at most so many Unicode scalars.
  func line(of most: Int) -> String {
    String(unicodeScalars.prefix(most).map { $0.disturbsLine ? " " : Character($0) })
  }
}

extension [DNSName] {
  /// The names for a sentence: all if they are few.
  var summary: String {
    count <= 3 ? map(\.value).joined(separator: ", ") : "\(self[0]) and \(count - 1) more names"
  }
}
