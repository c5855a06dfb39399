/// A login's new secret. It is made here and not by the gateway: what the gateway would make is lost if its reply does not arrive.
struct NewSecret {
  /// What to give to the device.
  let text: String
  /// Whether it was made here, so that nobody knows it yet.
  let isMade: Bool

  /// A secret from the first line of a file, or a new one without a file.
  init(file: String? = nil) throws {
    isMade = file == nil
    text = try file.map(InputFile.secret) ?? Self.make()
  }

  /// 15 alphanumeric characters, the most that a PBX object takes: 89 bits.
  private static func make() -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    var generator = SystemRandomNumberGenerator()
    return String((0..<15).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] })
  }
}
