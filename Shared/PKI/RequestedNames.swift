import SwiftASN1
import X509

/// The names of a CSR as they are gathered: common names and subject alternative names, each once.
struct RequestedNames {
  private(set) var names: [DNSName] = []
  private var known: Set<DNSName> = []

  mutating func add(_ request: CertificateSigningRequest) throws(SigningRequestRejection) {
    let alternatives: [ASN1Node]
    do {
      alternatives = try request.subjectAlternativeNames
    } catch {
      throw SigningRequestRejection(.badCsr, "The extensions in the CSR cannot be read; make it anew.")
    }
    for name in request.subject.commonNames where !name.isEmpty {
      try add(name)
    }
    for node in alternatives {
      try add(node)
    }
  }

  private mutating func add(_ text: String) throws(SigningRequestRejection) {
    let name = try DNSName(certifiable: text)
    guard known.insert(name).inserted else { return }
    guard names.count < SigningRequest.maximumNames else {
      throw SigningRequestRejection(
        .tooManyNames, "The CSR has more than \(SigningRequest.maximumNames) names; divide them among several certificates.")
    }
    names.append(name)
  }

  /// Adds a GeneralName (RFC 5280, section 4.2.1.6). It is taken from the DER, for the library's reader refuses the whole list when one name is
  /// not ASCII, and the device could not be told which.
  private mutating func add(_ node: ASN1Node) throws(SigningRequestRejection) {
    switch (node.identifier.tagNumber, node.content) {
    case (2, .primitive(let octets)):
      try add(String(decoding: octets, as: UTF8.self))
    case (7, _):
      throw SigningRequestRejection(.ipNotSupported, "The CSR asks for an IP address; ask for DNS names only.")
    default:
      throw SigningRequestRejection(.badCsr, "The CSR asks for something other than DNS names, such as an e-mail address or a URI; leave it out.")
    }
  }
}

extension DNSName {
  /// The name as it may stand in a CSR.
  /// - Throws: why `text` is no such name.
  public init(certifiable text: String) throws(SigningRequestRejection) {
    // The trailing dot is the same name to the DNS and not to an authority, which would refuse the CSR when all names are validated.
    guard let name = DNSName(text), !text.hasSuffix(".") else { throw SigningRequestRejection(invalid: text) }
    self = name
  }
}

extension SigningRequestRejection {
  /// Says why a text is no name that can be certified.
  fileprivate init(invalid text: String) {
    if text.contains("*") {
      self.init(.wildcardNotSupported, name: text, "A wildcard cannot be validated over HTTP; name each host.")
    } else if text.isAddress {
      self.init(.ipNotSupported, name: text, "This is an IP address; ask for DNS names only.")
    } else if !text.utf8.allSatisfy({ $0 < 0x80 }) {
      self.init(
        .invalidName, name: text, "The DNS has this name in A-labels (xn--…); the command idn2, from the package of that name, prints what to write.")
    } else {
      self.init(
        .invalidName, name: text,
        "This is no DNS name; use letters, digits and hyphens, A-labels (xn--) for other characters, and no dot at the end.")
    }
  }
}

extension String {
  /// Whether this looks like an address of IPv4 or IPv6. It has been found to be no DNS name already.
  fileprivate var isAddress: Bool {
    let isHexadecimal = utf8.allSatisfy { Character(UnicodeScalar($0)).isHexDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }
    return isHexadecimal && (contains(":") || split(separator: ".").count == 4)
  }
}

extension CertificateSigningRequest {
  fileprivate var subjectAlternativeNames: [ASN1Node] {
    get throws {
      guard let extensions = try attributes.extensionRequest?.extensions else { return [] }
      return try extensions.generalNames
    }
  }
}

extension Certificate.Extensions {
  /// The subject alternative names, unread; none where there is no such extension.
  var generalNames: [ASN1Node] {
    get throws {
      guard let names = self[oid: .X509ExtensionID.subjectAlternativeName] else { return [] }
      return try DER.sequence(DER.parse(names.value), identifier: .sequence) { nodes in
        var all: [ASN1Node] = []
        while let node = nodes.next() { all.append(node) }
        return all
      }
    }
  }
}

extension DistinguishedName {
  /// Every common name, in its order.
  var commonNames: [String] {
    flatMap { $0 }.filter { $0.type == .RDNAttributeType.commonName }.map { String($0.value) ?? $0.value.description }
  }
}
