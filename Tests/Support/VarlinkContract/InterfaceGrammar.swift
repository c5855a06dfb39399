/// An interface text, read: varlink.org, "Interface Definition".
public struct InterfaceGrammar: Sendable, Hashable {
  /// What a member's value can be.
  public indirect enum Form: Sendable, Hashable {
    case bool, int, float, string, object
    case enumeration([String])
    case structure([Member])
    case array(Form)
    case dictionary(Form)
    case optional(Form)
    /// A type that the interface declares by this name.
    case named(String)
  }

  /// A member of a structure.
  public struct Member: Sendable, Hashable {
    /// Its name.
    public let name: String
    /// What its value can be.
    public let form: Form
  }

  /// A method.
  public struct Method: Sendable, Hashable {
    /// Its parameters, a structure.
    public let parameters: Form
    /// Its reply, a structure.
    public let reply: Form
  }

  /// The interface's name.
  public private(set) var name = ""
  /// The declared types.
  public private(set) var types: [String: Form] = [:]
  /// The methods.
  public private(set) var methods: [String: Method] = [:]
  /// The errors with their parameters, structures.
  public private(set) var errors: [String: Form] = [:]

  /// Reads a text. Each name is declared once, and each that is used is declared.
  public init(_ text: String) throws {
    var tokens = try InterfaceTokens(text)
    try tokens.expect("interface")
    name = try tokens.next("an interface name") { $0.contains(".") }
    while let keyword = tokens.nextIfAny() {
      let name = try tokens.next("a name that begins with a capital letter") { $0.first?.isUppercase == true }
      guard types[name] == nil, methods[name] == nil, errors[name] == nil else { throw tokens.failure("\(name) is declared twice") }
      switch keyword {
      case "type": types[name] = try Self.parenthesized(&tokens)
      case "error": errors[name] = try Self.parenthesized(&tokens)
      case "method":
        let parameters = try Self.parenthesized(&tokens)
        try tokens.expect("->")
        methods[name] = Method(parameters: parameters, reply: try Self.parenthesized(&tokens))
      default: throw tokens.failure("\(keyword) is neither type, method nor error")
      }
    }
    let forms = Array(types.values) + errors.values + methods.values.flatMap { [$0.parameters, $0.reply] }
    for name in forms.flatMap(Self.namesUsed) where types[name] == nil { throw tokens.failure("\(name) is not declared") }
  }

  /// What a name stands for; any other form for itself.
  public func resolve(_ form: Form) -> Form {
    guard case .named(let name) = form, let declared = types[name] else { return form }
    return declared
  }

  /// A structure, or an enumeration if its members have no types.
  private static func parenthesized(_ tokens: inout InterfaceTokens) throws -> Form {
    try tokens.expect("(")
    if tokens.skip(")") { return .structure([]) }
    var members: [Member] = []
    var cases: [String] = []
    repeat {
      let name = try tokens.next("a member's name") { $0.first?.isLetter == true }
      guard !cases.contains(name), !members.contains(where: { $0.name == name }) else { throw tokens.failure("\(name) is there twice") }
      if tokens.skip(":") { members.append(Member(name: name, form: try form(&tokens))) } else { cases.append(name) }
    } while tokens.skip(",")
    try tokens.expect(")")
    guard members.isEmpty || cases.isEmpty else { throw tokens.failure("members with and without type are mixed") }
    return members.isEmpty ? .enumeration(cases) : .structure(members)
  }

  private static func form(_ tokens: inout InterfaceTokens) throws -> Form {
    if tokens.skip("?") {
      guard !tokens.isNext("?") else { throw tokens.failure("?? is no type") }
      return .optional(try form(&tokens))
    }
    if tokens.skip("[") {
      let isDictionary = tokens.skip("string")
      try tokens.expect("]")
      return isDictionary ? .dictionary(try form(&tokens)) : .array(try form(&tokens))
    }
    if tokens.isNext("(") { return try parenthesized(&tokens) }
    switch try tokens.next("a type", where: { $0.first?.isLetter == true }) {
    case "bool": return .bool
    case "int": return .int
    case "float": return .float
    case "string": return .string
    case "object": return .object
    case let name: return .named(name)
    }
  }

  private static func namesUsed(_ form: Form) -> [String] {
    switch form {
    case .bool, .int, .float, .string, .object, .enumeration: []
    case .structure(let members): members.flatMap { namesUsed($0.form) }
    case .array(let form), .dictionary(let form), .optional(let form): namesUsed(form)
    case .named(let name): [name]
    }
  }
}
