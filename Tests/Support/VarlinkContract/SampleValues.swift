/// Values of a declared type: one with everything, one with as little as is allowed, and one for each choice in between.
struct SampleValues {
  let interface: InterfaceGrammar
  /// Texts by the name of their member, where not any text will do.
  let texts: [String: String]

  /// Everything is there.
  func full(_ form: InterfaceGrammar.Form, member: String = "") -> JSONValue {
    switch interface.resolve(form) {
    case .bool: .bool(true)
    case .int: .int(1_792_000_000_000)
    case .float: .float(0.5)
    case .string: .string(texts[member] ?? "a \"\(member)\" / ü\n")
    case .object: .object(["any": .bool(true)])
    case .enumeration(let cases): .string(cases.first ?? "")
    case .structure(let members): .object(Dictionary(uniqueKeysWithValues: members.map { ($0.name, full($0.form, member: $0.name)) }))
    case .array(let form): .array([full(form, member: member)])
    case .dictionary(let form): .object(["key": full(form, member: member)])
    case .optional(let form): full(form, member: member)
    case .named: .null
    }
  }

  /// Optional members are not there, lists are empty.
  private func minimal(_ form: InterfaceGrammar.Form, member: String = "") -> JSONValue {
    switch interface.resolve(form) {
    case .structure(let members):
      .object(
        Dictionary(
          uniqueKeysWithValues: members.compactMap { each in
            if case .optional = each.form { return nil }
            return (each.name, minimal(each.form, member: each.name))
          }))
    case .array: .array([])
    case .dictionary: .object([:])
    default: full(form, member: member)
    }
  }

  /// Every choice at least once, all else as in the full value.
  func variants(_ form: InterfaceGrammar.Form, member: String = "") -> [JSONValue] {
    switch interface.resolve(form) {
    case .bool: return [.bool(true), .bool(false)]
    case .int: return [full(form), .int(0)]
    case .enumeration(let cases): return cases.map(JSONValue.string)
    case .array(let element): return [.array([])] + variants(element, member: member).map { .array([$0]) }
    case .dictionary(let element): return [.object([:])] + variants(element, member: member).map { .object(["key": $0]) }
    case .optional(let form): return variants(form, member: member)
    case .structure(let members):
      guard case .object(let everything) = full(form) else { return [] }
      let changed = members.flatMap { each in
        variants(each.form, member: each.name).map { value in .object(everything.merging([each.name: value]) { $1 }) }
          + absent(each, from: everything)
      }
      return [.object(everything), minimal(form)] + changed
    case .float, .string, .object, .named: return [full(form, member: member)]
    }
  }

  /// Values that lack one member each which is not optional: no type may take them.
  func incomplete(_ form: InterfaceGrammar.Form) -> [JSONValue] {
    switch interface.resolve(form) {
    case .array(let element): return incomplete(element).map { .array([$0]) }
    case .dictionary(let element): return incomplete(element).map { .object(["key": $0]) }
    case .optional(let form): return incomplete(form)
    case .structure(let members):
      guard case .object(let everything) = full(form) else { return [] }
      return members.flatMap { each in
        let inside = incomplete(each.form).map { value in JSONValue.object(everything.merging([each.name: value]) { $1 }) }
        if case .optional = each.form { return inside }
        return [.object(everything.filter { $0.key != each.name })] + inside
      }
    case .bool, .int, .float, .string, .object, .enumeration, .named: return []
    }
  }

  private func absent(_ member: InterfaceGrammar.Member, from everything: [String: JSONValue]) -> [JSONValue] {
    guard case .optional = member.form else { return [] }
    return [.object(everything.filter { $0.key != member.name })]
  }
}
