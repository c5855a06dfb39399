import FoundationEssentials
import Glibc
import PKI
import Telemetry

/// Where a command's words go: its results to standard output, what it has to say besides to standard error.
struct Terminal: Sendable {
  /// Where text goes.
  enum Stream: Sendable {
    /// The result.
    case output
    /// What happens meanwhile.
    case notes
  }

  private let clock: WallClock
  /// How many characters a line may have; nil when the output is no terminal and nothing is cut.
  let width: Int?
  /// The next line that a person types, nil at the end; nil itself when nobody is there.
  private let read: (@Sendable () -> String?)?
  private let write: @Sendable (String, Stream) throws -> Void

  /// A terminal that hands its text to `write`, and takes answers from `read`.
  init(
    clock: WallClock, width: Int? = nil, read: (@Sendable () -> String?)? = nil, write: @escaping @Sendable (String, Stream) throws -> Void
  ) {
    self.clock = clock
    self.width = width
    self.read = read
    self.write = write
  }

  /// The process's own.
  static var standard: Terminal {
    let line: @Sendable () -> String? = { readLine() }
    return Terminal(clock: .system, width: columns(of: STDOUT_FILENO), read: isatty(STDIN_FILENO) == 1 ? line : nil) { text, stream in
      try write(text, to: stream == .output ? STDOUT_FILENO : STDERR_FILENO)
    }
  }

  /// The moment that "in 29 days" counts from.
  var now: Instant { clock.now() }

  /// Prints text as it is.
  func verbatim(_ text: String) throws { try write(text, .output) }

  /// Prints a line.
  func line(_ text: String) throws { try write(text.printable + "\n", .output) }

  /// Says something that is not part of the result.
  func note(_ text: String) throws { try write(text.printable + "\n", .notes) }

  /// Whether a person can be asked.
  var isInteractive: Bool { read != nil }

  /// Asks a person; nil when the input has ended, or nobody is there.
  func ask(_ question: String) throws -> String? {
    try write(question.printable, .notes)
    return read?()
  }

  /// Prints a value as one line of JSON.
  func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try write(String(decoding: encoder.encode(value), as: UTF8.self) + "\n", .output)
  }

  /// Prints a table, or a sentence instead of an empty one.
  func table(_ table: Table, ifEmpty sentence: String) throws {
    if table.isEmpty {
      try line(sentence)
    } else {
      try verbatim(table.lines(width: width).map { $0 + "\n" }.joined())
    }
  }

  private static func columns(of descriptor: CInt) -> Int? {
    var size = winsize()
    guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  private static func write(_ text: String, to descriptor: CInt) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw CommandError("The output cannot be written: \(String(cString: strerror(errno))).")
      }
    }
  }
}

extension String {
  /// The text without what steers the terminal or reorders the line: much of what is shown came from devices and from the CA.
  var printable: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.disturbsLine ? "\u{FFFD}" : $0 }))
  }
}
