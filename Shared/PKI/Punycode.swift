/// Labels of the DNS beyond ASCII (RFC 3492), as far as they have to be written.
enum Punycode {
  private static let (base, tMin, tMax, skew, damp, initialBias, initialN): (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) =
    (36, 1, 26, 38, 700, 72, 128)

  /// The code points of a label without the prefix `xn--` (RFC 3492, section 6.3).
  static func encode(_ label: [UInt32]) -> String {
    var output = label.filter { $0 < initialN }.map { Character(UnicodeScalar(UInt8($0))) }
    let basic = UInt32(output.count)
    if basic > 0 { output.append("-") }
    var (n, delta, bias, handled) = (initialN, UInt32(0), initialBias, basic)
    while handled < label.count, let next = label.filter({ $0 >= n }).min() {
      delta += (next - n) * (handled + 1)
      n = next
      for point in label {
        if point < n { delta += 1 }
        guard point == n else { continue }
        var (q, k) = (delta, base)
        while true {
          let threshold = k <= bias ? tMin : k >= bias + tMax ? tMax : k - bias
          if q < threshold { break }
          output.append(digit(threshold + (q - threshold) % (base - threshold)))
          q = (q - threshold) / (base - threshold)
          k += base
        }
        output.append(digit(q))
        bias = adapted(delta, handled + 1, isFirst: handled == basic)
        delta = 0
        handled += 1
      }
      delta += 1
      n += 1
    }
    return String(output)
  }

  private static func digit(_ value: UInt32) -> Character {
    Character(UnicodeScalar(UInt8(value < 26 ? value + 97 : value - 26 + 48)))
  }

  private static func adapted(_ delta: UInt32, _ points: UInt32, isFirst: Bool) -> UInt32 {
    var delta = isFirst ? delta / damp : delta / 2
    delta += delta / points
    var k: UInt32 = 0
    while delta > ((base - tMin) * tMax) / 2 {
      delta /= base - tMin
      k += base
    }
    return k + (base - tMin + 1) * delta / (delta + skew)
  }
}
