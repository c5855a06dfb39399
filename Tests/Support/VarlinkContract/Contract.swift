import FoundationEssentials
public import Varlink

/// Holds Swift types to the interface text that they stand for.
public struct Contract {
  private let interface: VarlinkInterface
  private let methods: [any VarlinkMethod.Type]
  private let texts: [String: String]

  /// - Parameters:
  ///   - methods: The Swift types of all the interface's methods; those of its errors are the interface's `faults`.
  ///   - texts: Samples by the name of their member, where the Swift type does not take any text.
  public init(_ interface: VarlinkInterface, methods: [any VarlinkMethod.Type], texts: [String: String] = [:]) {
    self.interface = interface
    self.methods = methods
    self.texts = texts
  }

  /// Where types and text differ; empty if they are one.
  public func violations() -> [String] {
    let grammar: InterfaceGrammar
    do { grammar = try InterfaceGrammar(interface.text) } catch { return ["\(interface.name) is no interface text: \(error)"] }
    var found: [String] = []
    if grammar.name != interface.name { found.append("the text is that of \(grammar.name), not of \(interface.name)") }
    found += difference("method", declared: grammar.methods.keys, inSwift: methods.map { $0.name })
    found += difference("error", declared: grammar.errors.keys, inSwift: interface.faults.map { $0.name })

    let samples = SampleValues(interface: grammar, texts: texts)
    for method in methods {
      guard let declared = grammar.methods[method.name] else { continue }
      found += check(method, declared, samples)
      if method.interface.name != interface.name { found.append("\(method.name) says that it belongs to \(method.interface.name)") }
      if !declared.takesTrace { found.append("method \(method.name) does not declare trace: ?string") }
    }
    for fault in interface.faults {
      guard let declared = grammar.errors[fault.name] else { continue }
      found += roundTrips(of: fault, as: declared, samples, what: "error \(fault.name)")
    }
    return found
  }

  private func difference(_ kind: String, declared: some Sequence<String>, inSwift: [String]) -> [String] {
    let declared = Set(declared)
    return declared.subtracting(inSwift).sorted().map { "\(kind) \($0) is declared, and has no Swift type" }
      + Set(inSwift).subtracting(declared).sorted().map { "\(kind) \($0) has a Swift type, and is not declared" }
  }

  private func check<Method: VarlinkMethod>(_ method: Method.Type, _ declared: InterfaceGrammar.Method, _ samples: SampleValues) -> [String] {
    roundTrips(of: Method.Parameters.self, as: declared.parameters, samples, what: "the parameters of \(method.name)")
      + roundTrips(of: Method.Reply.self, as: declared.reply, samples, what: "the reply of \(method.name)")
  }

  /// Every sample decodes, and encodes back to the same members.
  private func roundTrips<Value: Codable>(
    of type: Value.Type, as form: InterfaceGrammar.Form, _ samples: SampleValues, what: String
  ) -> [String] {
    var found: [String] = []
    for sample in samples.variants(form) {
      do {
        let value = try JSONDecoder().decode(type, from: JSONEncoder().encode(sample))
        let back = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
        if back != sample { found.append("\(what): \(sample) came back as \(back)") }
        if sample == samples.full(form), let member = undeclaredMember(of: value) {
          found.append("\(what): Swift has a member \(member) that is not declared")
        }
      } catch {
        found.append("\(what): \(sample) does not decode: \(error)")
      }
    }
    for sample in samples.incomplete(form) {
      guard let data = try? JSONEncoder().encode(sample), (try? JSONDecoder().decode(type, from: data)) != nil else { continue }
      found.append("\(what): \(sample) decodes, and lacks a member that is not optional")
    }
    return found
  }

  /// With every declared member given, whatever is still nil has no place in the text.
  private func undeclaredMember(of value: Any) -> String? {
    for (label, child) in Mirror(reflecting: value).children {
      let mirror = Mirror(reflecting: child)
      if mirror.displayStyle == .optional, mirror.children.isEmpty { return label ?? "without a name" }
      if let inside = undeclaredMember(of: child) { return "\(label ?? "").\(inside)" }
    }
    return nil
  }
}

extension InterfaceGrammar.Method {
  fileprivate var takesTrace: Bool {
    guard case .structure(let members) = parameters else { return false }
    return members.contains { $0.name == "trace" && $0.form == .optional(.string) }
  }
}
