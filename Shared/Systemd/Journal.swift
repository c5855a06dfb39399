import CSystemd
import Glibc

/// The system's journal (systemd-journald).
public enum Journal {
  /// Whether standard error is the journal itself, and so whether records may go there natively.
  ///
  /// `sd_journal_sendv` reports success when no journal runs and the record is lost; `JOURNAL_STREAM` names the device and inode of the stream that
  /// the service manager set up, and a descriptor redirected since differs (systemd.exec(5)).
  public static func isStandardError(variables: [String: String]) -> Bool {
    var status = stat()
    guard let stream = variables["JOURNAL_STREAM"], fstat(STDERR_FILENO, &status) == 0 else { return false }
    return stream == "\(status.st_dev):\(status.st_ino)"
  }
}

/// One record of the journal: named fields, whose values may hold anything, line breaks included (systemd.journal-fields(7)).
public struct JournalRecord: Sendable {
  /// The fields in the order they were added.
  public private(set) var fields: [(name: String, value: String)] = []

  /// An empty record.
  public init() {}

  /// Adds a field. A key that cannot be made a field name is left out.
  public mutating func add(_ key: String, _ value: String) {
    guard let name = Self.fieldName(key) else { return }
    fields.append((name, value))
  }

  /// The key as journald takes it: `A`–`Z`, `0`–`9` and `_`, at most 64, not beginning with a digit or with the underscore of trusted fields.
  public static func fieldName(_ key: String) -> String? {
    let letters = key.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 0x20
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
      default: UInt8(ascii: "_")
      }
    }
    let name = letters.drop { $0 < UInt8(ascii: "A") || $0 == UInt8(ascii: "_") }.prefix(64)
    return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
  }

  /// Hands the record to the journal. False when it was not taken.
  public func send() -> Bool {
    var bytes: [UInt8] = []
    var ranges: [Range<Int>] = []
    for field in fields {
      let start = bytes.count
      bytes += field.name.utf8
      bytes.append(UInt8(ascii: "="))
      bytes += field.value.utf8
      ranges.append(start..<bytes.count)
    }
    return bytes.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      let vectors = ranges.map { iovec(iov_base: base + $0.lowerBound, iov_len: $0.count) }
      return sd_journal_sendv(vectors, CInt(vectors.count)) == 0
    }
  }
}
