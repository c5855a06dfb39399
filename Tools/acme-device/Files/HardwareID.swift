import AppWebsocket
import Crypto
import FoundationEssentials

/// What a Linux host is known by when nobody gives it a hardware id.
enum HardwareID {
  /// Marks what the machine id is hashed for; never changed, else every host would be a new device.
  private static let application: [UInt8] = [
    0x6b, 0x8f, 0x1d, 0x52, 0x0a, 0xe4, 0x4c, 0x37, 0x9d, 0x61, 0x25, 0xb0, 0x7e, 0x93, 0xc8, 0x1f,
  ]

  /// The host's id: its machine id, which itself must not leave the host, hashed for this application as machine-id(5) wants it.
  /// - Returns: 32 hexadecimal digits, or nil if there is no machine id.
  static func ofMachine(idFile: String = "/etc/machine-id") -> ShortText? {
    guard let text = try? DurableFiles().read(idFile), let id = text.split(whereSeparator: \.isNewline).first, id.utf8.count == 32 else { return nil }
    let code = HMAC<SHA256>.authenticationCode(for: application, using: SymmetricKey(data: Data(id.utf8)))
    return ShortText(code.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
  }
}
