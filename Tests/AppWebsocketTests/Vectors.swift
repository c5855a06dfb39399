import Foundation
import Testing

/// The vectors in Resources/appwebsocket.json.
struct Vectors: Decodable {
  struct Login: Decodable, Sendable, CustomTestStringConvertible {
    let source, app, domain, sip, guid, dn, challenge, password, digest: String
    let info: String?

    var testDescription: String { "\(source): \(app)" }
  }

  struct Key: Decodable, Sendable {
    let challenge, password, key: String
  }

  let digest: [Login]
  let sessionKey: [Key]

  static let all: Vectors = {
    do {
      let file = Bundle.module.bundleURL.appending(path: "Resources/appwebsocket.json")
      return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
    } catch {
      Issue.record(error)
      return Vectors(digest: [], sessionKey: [])
    }
  }()
}
