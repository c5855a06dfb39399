/// The words and signs of an interface text; comments are left out.
struct InterfaceTokens {
  /// What is wrong with a text, and where.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let tokens: [(text: String, line: Int)]
  private var position = 0

  init(_ text: String) throws {
    var tokens: [(String, Int)] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      var rest = line.prefix { $0 != "#" }
      while let first = rest.first {
        if first.isWhitespace {
          rest.removeFirst()
          continue
        }
        let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) && !rest.hasPrefix("->") }
        let token = !word.isEmpty ? word : rest.hasPrefix("->") ? rest.prefix(2) : rest.prefix(1)
        guard !word.isEmpty || token == "->" || "()[]?:,".contains(first) else {
          throw Failure(description: "line \(number + 1): \(first) has no meaning here")
        }
        tokens.append((String(token), number + 1))
        rest = rest.dropFirst(token.count)
      }
    }
    self.tokens = tokens
  }

  func failure(_ text: String) -> Failure {
    Failure(description: "line \(position < tokens.count ? tokens[position].line : tokens.last?.line ?? 0): \(text)")
  }

  func isNext(_ token: String) -> Bool { position < tokens.count && tokens[position].text == token }

  mutating func nextIfAny() -> String? {
    guard position < tokens.count else { return nil }
    defer { position += 1 }
    return tokens[position].text
  }

  mutating func next(_ what: String, where isRight: (String) -> Bool) throws -> String {
    guard position < tokens.count, isRight(tokens[position].text) else { throw failure("expected \(what)") }
    defer { position += 1 }
    return tokens[position].text
  }

  mutating func skip(_ token: String) -> Bool {
    guard isNext(token) else { return false }
    position += 1
    return true
  }

  mutating func expect(_ token: String) throws {
    guard skip(token) else { throw failure("expected \(token)") }
  }
}
