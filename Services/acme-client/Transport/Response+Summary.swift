import FoundationEssentials
import NIOHTTP1

extension Response {
  /// The answer for a trace: the status, what it is about, the header fields that steer a client, and the CA's problem. Neither nonces nor bodies.
  var summary: String {
    let fields = ["content-type", "content-length", "location", "link", "retry-after", "server"].flatMap { name in
      headers[name].prefix(4).map { "\(name): \($0.prefix(200))" }
    }
    let document = (200..<300).contains(status) ? nil : try? JSONDecoder().decode(ProblemDocument.self, from: Data(body))
    let problem = document.map { ["\($0.type.type): \($0.detail)"] } ?? []
    return (["\(status)"] + problem + fields).joined(separator: "; ")
  }
}
