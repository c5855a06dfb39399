extension IPAddress {
  /// The longest that an entry can be: an address in brackets, with zone and port.
  private static let longestHop = 72

  /// The address of an entry of X-Forwarded-For, nil if it has none. Blanks around it are left out; some proxies add the port, and brackets. A zone (RFC 4007,
  /// section 11) means something to that proxy alone.
  public init?(forwardedFor entry: Substring) {
    let hop = entry.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
    guard hop.utf8.count <= Self.longestHop, entry[hop.endIndex...].allSatisfy({ $0 == " " || $0 == "\t" }) else { return nil }
    let host: Substring
    let rest: Substring
    if hop.first == "[", let end = hop.firstIndex(of: "]") {
      host = hop[..<end].dropFirst()
      rest = hop[end...].dropFirst()
    } else if let colon = hop.firstIndex(of: ":"), colon == hop.lastIndex(of: ":") {
      host = hop[..<colon]
      rest = hop[colon...]
    } else {
      host = hop
      rest = ""
    }
    guard rest.isEmpty || rest.first == ":" && UInt16(rest.dropFirst()) != nil else { return nil }
    guard let address = IPAddress(String(host.prefix { $0 != "%" })) else { return nil }
    self = address.unmapped
  }
}
