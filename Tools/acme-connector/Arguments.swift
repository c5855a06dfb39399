public import ArgumentParser
import FoundationEssentials
public import PKI
public import SchedulerAPI
public import Telemetry

extension DNSName: ExpressibleByArgument {
  /// The name that an argument spells.
  public init?(argument: String) { self.init(argument) }

  /// The name that an argument spells, or why it spells none.
  static func spelled(_ argument: String) throws -> DNSName { try DNSName(argument) ?? DNSName(certifiable: argument) }
}

extension Fingerprint: ExpressibleByArgument {
  /// The fingerprint that an argument spells: hexadecimal digits in either case, with or without colons between them.
  public init?(argument: String) { self.init(hex: argument.filter { $0 != ":" }) }
}

extension RevocationReason: ExpressibleByArgument {}

extension RequestID: ExpressibleByArgument {
  /// The request that an argument names.
  public init?(argument: String) { self.init(rawValue: argument) }
}

extension String {
  /// The file that a path names, for those who work in another folder.
  var absolutePath: String { URL(filePath: self).absoluteURL.path(percentEncoded: false) }
}

extension TraceCategory: ExpressibleByArgument {
  /// The category that an argument names, in capitals or not.
  public init?(argument: String) {
    guard let category = Self.allCases.first(where: { $0.rawValue.lowercased() == argument.lowercased() }) else { return nil }
    self = category
  }
}

/// What an argument names a file for.
enum InputFile {
  /// Reads a text of at most `size` bytes.
  /// - Throws: a ``CommandError`` that names the file.
  static func text(_ path: String, atMost size: Int) throws -> String {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw CommandError("\(path) cannot be read.")
    }
    guard data.count <= size, let text = String(bytes: data, encoding: .utf8) else {
      throw CommandError("\(path) is no text of at most \(size) bytes.")
    }
    return text
  }

  /// Reads a secret: the file's first line.
  static func secret(_ path: String) throws -> String {
    guard let line = try text(path, atMost: 4096).split(whereSeparator: \.isNewline).first else {
      throw CommandError("\(path) is empty; its first line should be the secret.")
    }
    return String(line)
  }
}
