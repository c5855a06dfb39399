/// `org.varlink.service`, which every service serves by itself.
enum ServiceInterface {
  static let interface = VarlinkInterface("org.varlink.service", text: PackageResources.org_varlink_service_varlink)

  struct GetInfo: VarlinkMethod {
    static let interface = ServiceInterface.interface
    typealias Parameters = NoMembers
    struct Reply: Codable, Sendable {
      var vendor: String
      var product: String
      var version: String
      var url: String
      var interfaces: [String]
    }
  }

  struct GetInterfaceDescription: VarlinkMethod {
    static let interface = ServiceInterface.interface
    struct Parameters: Codable, Sendable { var interface: String }
    struct Reply: Codable, Sendable { var description: String }
  }

  static func handlers(_ service: VarlinkServiceDescription, _ others: [VarlinkInterface]) -> VarlinkInterfaceHandlers {
    let all = [interface] + others
    return VarlinkInterfaceHandlers(
      interface,
      [
        .reply(GetInfo.self) { _, _ in
          .init(vendor: service.vendor, product: service.product, version: service.version, url: service.url, interfaces: all.map(\.name))
        },
        .reply(GetInterfaceDescription.self) { parameters, _ in
          guard let found = all.first(where: { $0.name == parameters.interface }) else {
            throw ServiceFault.interfaceNotFound(parameters.interface)
          }
          return .init(description: found.text)
        },
      ])
  }
}

/// The errors of `org.varlink.service`, and two of ours: a server that has no room for another stream, and one that has failed.
enum ServiceFault: Error {
  case interfaceNotFound(String)
  case methodNotFound(String)
  case methodNotImplemented(String)
  case invalidParameter(String)
  case expectedMore
  case busy
  case internalError(String)

  var name: String {
    switch self {
    case .interfaceNotFound: "org.varlink.service.InterfaceNotFound"
    case .methodNotFound: "org.varlink.service.MethodNotFound"
    case .methodNotImplemented: "org.varlink.service.MethodNotImplemented"
    case .invalidParameter: "org.varlink.service.InvalidParameter"
    case .expectedMore: "org.varlink.service.ExpectedMore"
    case .busy: "org.acmeconnector.Busy"
    case .internalError: "org.acmeconnector.InternalError"
    }
  }

  var parameters: [String: String] {
    switch self {
    case .interfaceNotFound(let name): ["interface": name]
    case .methodNotFound(let name), .methodNotImplemented(let name), .internalError(let name): ["method": name]
    case .invalidParameter(let name): ["parameter": name]
    case .expectedMore, .busy: [:]
    }
  }
}
