import ArgumentParser
import FoundationEssentials
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import Varlink

/// `acme-connector request`
struct RequestCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "request", abstract: "Obtains a certificate for the CSR of a device that cannot connect itself.",
    discussion: "The certificate and its issuers (PEM, leaf first, no root) go to standard output, or to --out; progress goes to standard error.")

  @Argument(help: "The CSR, in PEM.", completion: .file()) var csrFile: String
  @Option(help: "Your name for the device; the next request under this name renews.") var device: String
  @Option(help: "Where the certificate goes.", completion: .file()) var out: String?
  @Flag(help: "Order now, even if the certificate at hand is not due.") var force = false
  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let csr = try InputFile.text(csrFile, atMost: SigningRequest.maximumSize * 2)
    let last = try await followRequest(.init(device: device, csr: csr, force: force), at: connector, on: terminal)
    if let chain = last.chain, let out {
      do {
        try Data(chain.utf8).write(to: URL(filePath: out), options: .atomic)
      } catch {
        throw CommandError("The certificate is there, but \(out) cannot be written; `acme-connector certificates show \(last.request)` prints it.")
      }
      try terminal.note("The certificate is in \(out).")
    }
    if options.json { try terminal.json(last) } else if let chain = last.chain, out == nil { try terminal.verbatim(chain) }
    guard last.chain != nil else {
      throw CommandError("Request \(last.request) has no certificate (\(last.state.rawValue)): \(last.text ?? "the connector gave no reason.")")
    }
  }

  /// Waits for the request's last state. A connector that restarts in between is asked again: an equal CSR joins its open request.
  private func followRequest(
    _ parameters: AdminMethods.Request.Parameters, at connector: Connector, on terminal: Terminal
  ) async throws -> AdminMethods.Request.Reply {
    let last = NIOLockedValueBox<AdminMethods.Request.Reply?>(nil)
    while true {
      var parameters = parameters
      // Once accepted, to force again would be another order.
      if last.withLockedValue({ $0 }) != nil { parameters.force = false }
      do {
        return try await connector.admin.stream(AdminMethods.Request.self, parameters) { reply in
          let isNew = last.withLockedValue { last in
            defer { last = reply }
            return last != reply
          }
          if isNew { try terminal.note("Request \(reply.request): \(reply.state.rawValue)\(reply.text.map { ", \($0)" } ?? "")") }
        }
      } catch is Restarting {
        continue
      } catch let error as VarlinkError where last.withLockedValue({ $0 }) != nil && [.closed, .unreachable].contains(error.code) {
        try await Task.sleep(for: .seconds(1))
      }
    }
  }
}
