import FoundationEssentials
import NIOCore
import PKI

/// Asks DNS servers what a CA's resolver asks, and tells apart what the C library does not: no name, no such record, a server that fails, silence.
struct Resolver: Sendable {
  /// What came of a question.
  struct Lookup: Sendable, Hashable {
    enum Outcome: Sendable, Hashable {
      /// At least one.
      case records([DNSMessage.Record.Content])
      /// The name exists, and has none of this type.
      case noData
      /// NXDOMAIN.
      case noName
      /// A server says that it cannot tell.
      case failed(DNSMessage.ResponseCode)
      /// Nobody answered in time.
      case silent
      /// Nobody is there who could answer, or what they say makes no sense.
      case unreadable
      /// The aliases lead in a circle, or on and on.
      case aliasLoop
    }
    /// The names that the one asked for stands for, one by the other.
    var aliases: [String] = []
    var outcome: Outcome

    /// The addresses among the records.
    var addresses: [IPAddress] {
      guard case .records(let contents) = outcome else { return [] }
      return contents.compactMap { if case .address(let address) = $0 { address } else { nil } }
    }
  }

  let servers: [SocketAddress]

  /// How many servers are asked, how long each may take at first, and how long all of it.
  private static let (mostServers, patience, longest) = (3, Duration.milliseconds(1_500), Duration.seconds(3))
  /// CAs give up after about as many (Let's Encrypt's resolver takes 12).
  private static let mostAliases = 12

  /// The server at an address, or at an address and port (`192.0.2.53`, `[2001:db8::53]:5353`); nil where the text is neither.
  init?(_ text: String) {
    guard let server = Self.server(text) else { return nil }
    servers = [server]
  }

  /// Those that resolv.conf(5) names, or the one on this machine.
  init(resolvConf path: String = "/etc/resolv.conf") {
    let text = (try? String(contentsOf: URL(filePath: path), encoding: .utf8)) ?? ""
    let named = text.split(whereSeparator: \.isNewline).compactMap { line -> SocketAddress? in
      let words = line.split(whereSeparator: \.isWhitespace)
      return words.count >= 2 && words[0] == "nameserver" ? Self.server(String(words[1])) : nil
    }
    servers = named.isEmpty ? ["127.0.0.1"].compactMap(Self.server) : Array(named.prefix(Self.mostServers))
  }

  private static func server(_ text: String) -> SocketAddress? {
    IPEndpoint(text).flatMap { try? SocketAddress($0.address, port: $0.port ?? 53) }
  }

  /// Follows aliases to the records of one type. What servers put into one answer is used; where an answer ends with an alias its target is asked for.
  func lookUp(_ type: DNSMessage.RecordType, of name: String) async -> Lookup {
    var lookup = Lookup(outcome: .aliasLoop)
    let deadline = ContinuousClock.now + Self.longest
    var current = name
    while true {
      let message: DNSMessage
      switch await ask(.init(name: current, type: type), until: deadline) {
      case .success(let answer): message = answer
      case .failure(let failure):
        lookup.outcome = failure.outcome
        return lookup
      }
      let asked = current
      while let alias = message.alias(of: current) {
        guard alias != name, !lookup.aliases.contains(alias), lookup.aliases.count < Self.mostAliases else { return lookup }
        lookup.aliases.append(alias)
        current = alias
      }
      let found = message.answers.filter { $0.name == current && $0.type == type }.map(\.content)
      if !found.isEmpty {
        lookup.outcome = .records(found)
      } else if message.code == .noName {
        lookup.outcome = .noName
      } else if current == asked {
        lookup.outcome = .noData
      } else {
        continue
      }
      return lookup
    }
  }

  /// The addresses of a name, IPv6 first, as CAs take them.
  func addresses(of name: DNSName) async -> [IPAddress] {
    async let ipv6 = lookUp(.ipv6Address, of: name.value).addresses
    async let ipv4 = lookUp(.address, of: name.value).addresses
    return await ipv6 + ipv4
  }

  /// What each domain from the name upwards says of CAs, the name's own first (RFC 8659, section 3).
  func authorizations(for name: DNSName) async -> [(domain: DNSName, lookup: Lookup)] {
    let domains = Array(sequence(first: name, next: \.parent).prefix(Self.mostDomains))
    return await withTaskGroup(of: (Int, Lookup).self) { tasks in
      for (index, domain) in domains.enumerated() { tasks.addTask { (index, await lookUp(.authorization, of: domain.value)) } }
      return await tasks.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map { (domains[$0.0], $0.1) }
    }
  }

  /// Names of more labels have these of their domains looked at.
  private static let mostDomains = 32

  private struct Failure: Error { let outcome: Lookup.Outcome }

  /// A server that fails is not asked again; one that is silent is, until the time is over.
  private func ask(_ question: DNSMessage.Question, until deadline: ContinuousClock.Instant) async -> Result<DNSMessage, Failure> {
    var outcome = Lookup.Outcome.silent
    var rest = servers
    while !rest.isEmpty, !Task.isCancelled {
      for server in rest {
        let limit = min(Self.patience, deadline - .now)
        guard limit > .zero else { return .failure(Failure(outcome: outcome)) }
        do {
          let message = try await DNSExchange.ask(question, server, limit: limit)
          if [.noError, .noName].contains(message.code) { return .success(message) }
          outcome = .failed(message.code)
        } catch is DNSExchange.TimedOut {
          continue
        } catch {
          if outcome == .silent { outcome = .unreadable }
        }
        rest.removeAll { $0 == server }
      }
    }
    return .failure(Failure(outcome: outcome))
  }
}

extension DNSMessage {
  fileprivate func alias(of name: String) -> String? {
    for case .alias(let target) in answers.lazy.filter({ $0.name == name }).map(\.content) { return target }
    return nil
  }
}
