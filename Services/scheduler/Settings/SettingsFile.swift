import FoundationEssentials

/// The administrator's settings file: the keys as nested JSON objects, so `{"authority": {"directory": "…"}}`.
struct SettingsFile: Sendable, Hashable {
  /// The values of known keys, as they stand there.
  private(set) var values: [String: String] = [:]
  /// Keys that mean nothing: a misspelt one would else be silent.
  private(set) var unknownKeys: [String] = []

  /// The most bytes of the file that make sense.
  static let sizeLimit = 1 << 20
  /// What other services read in the same file.
  private static let sectionsOfOthers: Set<String> = ["challenges", "logins"]

  /// No file.
  init() {}

  /// Reads a file's content.
  /// - Throws: ``SettingsError`` when it is no JSON object.
  init(_ content: [UInt8], path: String) throws(SettingsError) {
    let root: Value
    do {
      root = try JSONDecoder().decode(Value.self, from: Data(content))
    } catch {
      throw SettingsError(place: path, cause: "is no JSON that can be read: \(error)")
    }
    guard case .object(let members) = root else { throw SettingsError(place: path, cause: "is no JSON object") }
    for (name, value) in members where !Self.sectionsOfOthers.contains(name) { try take(value, at: name, of: path) }
    unknownKeys.sort()
  }

  private mutating func take(_ value: Value, at key: String, of path: String) throws(SettingsError) {
    if case .object(let members) = value {
      for (name, value) in members { try take(value, at: "\(key).\(name)", of: path) }
      return
    }
    guard let definition = SettingDefinition.all.first(where: { $0.key == key }) else { return unknownKeys.append(key) }
    guard case .plain(let text) = value else {
      throw SettingsError(
        place: path, cause: "\(key) is no text, whole number, true, false or list of texts, as settings are. \(definition.description)")
    }
    values[key] = text
  }

  /// A JSON value as a setting can have it; a list is its texts with commas between them, null an empty text.
  private enum Value: Decodable {
    case object([String: Value])
    case plain(String)
    /// Anything else, as a number with a fraction or one that no machine holds.
    case strange

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self = .plain(text)
      } else if let flag = try? container.decode(Bool.self) {
        self = .plain(String(flag))
      } else if let number = try? container.decode(Int.self) {
        self = .plain(String(number))
      } else if let list = try? container.decode([String].self) {
        self = .plain(list.joined(separator: ","))
      } else if container.decodeNil() {
        self = .plain("")
      } else if let members = try? container.decode([String: Value].self) {
        self = .object(members)
      } else {
        self = .strange
      }
    }
  }
}

/// Why settings cannot be used.
struct SettingsError: Error, Hashable, CustomStringConvertible {
  /// The file, or the environment.
  let place: String
  let cause: String

  var description: String { "\(place): \(cause)" }
}
