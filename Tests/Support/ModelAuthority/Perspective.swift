import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import PKI

/// A place from which challenges are looked for (RFC 8555, section 8.3), wherever the name itself may lead.
public struct Perspective: Codable, Sendable, Hashable {
  /// The address that every name has, seen from here.
  public var address: String
  /// Where HTTP is there, instead of 80.
  public var port: Int

  /// A place.
  public init(address: String = "127.0.0.1", port: Int) {
    self.address = address
    self.port = port
  }

  /// More octets than these are no key authorization: Let's Encrypt reads no further.
  private static let mostOctets = 128

  /// Looks for an answer.
  /// - Returns: what is wrong with it, or nil.
  func look(for validation: Validation, with client: HTTPClient) async -> Refusal? {
    let page = "http://\(validation.name)/.well-known/acme-challenge/\(validation.token)"
    var request = HTTPClientRequest(url: "http://\(address):\(port)/.well-known/acme-challenge/\(validation.token)")
    request.headers = ["host": validation.name, "user-agent": "model-authority", "accept": "*/*"]
    do {
      let response = try await client.execute(request, timeout: .seconds(10))
      guard response.status == .ok else {
        return Refusal("unauthorized", status: 403, "\(address): Invalid response from \(page): \(response.status.code)")
      }
      var body = Array(try await response.body.collect(upTo: Self.mostOctets - 1).readableBytesView)
      while let last = body.last, [0x09, 0x0a, 0x0d, 0x20].contains(last) { body.removeLast() }
      guard body == Array(validation.keyAuthorization.utf8) else {
        return Refusal("unauthorized", status: 403, "\(address): The key authorization file from the server did not match this challenge")
      }
      return nil
    } catch is NIOTooManyBytesError {
      return Refusal("unauthorized", status: 403, "\(address): Invalid response from \(page): \(Self.mostOctets) bytes or more")
    } catch {
      return Refusal("connection", status: 400, "\(address): Fetching \(page): \(error)")
    }
  }
}

extension [Perspective] {
  /// Looks from everywhere at once. The first must see the answer; of the others one may fail, and two if there are six or more.
  func look(for validation: Validation, with client: HTTPClient) async -> Refusal? {
    let refusals = await withTaskGroup(of: (Int, Refusal?).self) { tasks in
      for (index, perspective) in enumerated() { tasks.addTask { (index, await perspective.look(for: validation, with: client)) } }
      return await tasks.reduce(into: [Int: Refusal]()) { $0[$1.0] = $1.1 }
    }
    if let primary = refusals[0] { return primary }
    let remotes = count - 1
    guard refusals.count > (remotes < 2 ? 0 : remotes < 6 ? 1 : 2), var refusal = refusals.min(by: { $0.key < $1.key })?.value else { return nil }
    refusal.detail = "During secondary validation: \(refusal.detail)"
    return refusal
  }
}
