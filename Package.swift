// swift-tools-version: 6.2
import PackageDescription

/// What every target of ours is held to. Warnings are errors here and not on the command line, where they would hit the dependencies too.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioConcurrency: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioFoundation: Target.Dependency = .product(name: "NIOFoundationEssentialsCompat", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let sqlite: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqliteItself: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let swiftASN1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")

/// A library of the house, under Shared/.
func shared(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
  .target(name: name, dependencies: dependencies, path: "Shared/\(name)", resources: resources, swiftSettings: strict)
}

/// A service as its callers see it: the interface texts, embedded as written, and the types beside them.
func api(_ name: String, _ interfaces: [String], _ dependencies: [Target.Dependency] = []) -> Target {
  shared(name, ["Varlink", "Telemetry"] + dependencies, resources: interfaces.map { .embedInCode("\($0).varlink") })
}

/// One of the four services: the folder has the dashed name, the module the Swift one.
func service(_ name: String, folder: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: ["Varlink", "ServiceRuntime", "Telemetry", "Systemd", lifecycle, logging, metrics] + dependencies,
    path: "Services/\(folder)", swiftSettings: strict)
}

/// What several test targets need.
func support(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Tests/Support/\(name)", swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", resources: resources, swiftSettings: strict)
}

let package = Package(
  name: "acme-connector",
  products: [
    .executable(name: "acme-client", targets: ["ACMEClient"]),
    .executable(name: "challenge-http", targets: ["ChallengeHTTP"]),
    .executable(name: "device-gateway", targets: ["DeviceGateway"]),
    .executable(name: "scheduler", targets: ["Scheduler"]),
    .executable(name: "acme-connector", targets: ["ACMEConnectorCommand"]),
    .executable(name: "acme-device", targets: ["ACMEDeviceCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // The system's libraries
    .systemLibrary(name: "CSystemd", path: "Shared/CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(name: "CLibCrypto", path: "Shared/CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    // What all services stand on
    shared("Systemd", ["CSystemd"]),
    shared("Telemetry", ["Systemd", logging, coreMetrics]),
    shared(
      "Varlink", ["CSystemd", "Telemetry", lifecycle, logging, nio, nioPosix, nioConcurrency, nioFoundation],
      resources: [.embedInCode("org.varlink.service.varlink")]),
    shared(
      "ServiceRuntime", ["Systemd", "Telemetry", "Varlink", "MetricsAPI", lifecycle, unixSignals, logging, metrics, coreMetrics, nio, nioPosix]),
    shared("PKI", [crypto, cryptoExtras, swiftASN1, x509]),
    shared("AppWebsocket", [crypto, "PKI"]),

    // The services as their callers see them
    api("ACMEClientAPI", ["org.acmeconnector.ACMEClient"], ["PKI"]),
    api("ResponderAPI", ["org.acmeconnector.Responder", "org.acmeconnector.Challenges"], ["PKI"]),
    api("SchedulerAPI", ["org.acmeconnector.Scheduler", "org.acmeconnector.Admin"], ["PKI"]),
    api("DeviceGatewayAPI", ["org.acmeconnector.Logins"], ["PKI"]),
    api("MetricsAPI", ["org.acmeconnector.Metrics"]),

    // The services
    service(
      "ACMEClient", folder: "acme-client",
      ["ACMEClientAPI", "ResponderAPI", "PKI", "CLibCrypto", httpClient, crypto, nio, nioPosix, nioHTTP1, nioSSL, x509, swiftASN1]),
    service("ChallengeHTTP", folder: "challenge-http", ["ResponderAPI", "PKI", coreMetrics, nio, nioPosix]),
    service(
      "DeviceGateway", folder: "device-gateway",
      [
        "AppWebsocket", "DeviceGatewayAPI", "ResponderAPI", "SchedulerAPI", "PKI", crypto, nio, nioPosix, nioHTTP1, nioSSL, nioWebSocket,
        nioConcurrency,
      ]),
    service("Scheduler", folder: "scheduler", ["SchedulerAPI", "ACMEClientAPI", "PKI", sqlite, crypto]),

    // The commands
    .executableTarget(
      name: "ACMEConnectorCommand",
      dependencies: [
        "SchedulerAPI", "DeviceGatewayAPI", "MetricsAPI", "Varlink", "Telemetry", "PKI", argumentParser, nioConcurrency, subprocess,
      ],
      path: "Tools/acme-connector", swiftSettings: strict),
    .executableTarget(
      name: "ACMEDeviceCommand",
      dependencies: [
        "AppWebsocket", "PKI", "Systemd", argumentParser, crypto, nio, nioConcurrency, nioPosix, nioHTTP1, nioSSL, nioWebSocket, subprocess,
      ],
      path: "Tools/acme-device", swiftSettings: strict),

    // The tests
    support("Chance"),
    support("RawSocket"),
    support("LineLog", [logging]),
    support("Programs", [subprocess]),
    support("ForeignPython", [subprocess]),
    support("VarlinkContract", ["Varlink"]),
    support("ModelAuthority", ["PKI", httpClient, crypto, nio, nioPosix, nioHTTP1, nioSSL, swiftASN1, x509]),
    .executableTarget(
      name: "model-authority", dependencies: ["ModelAuthority", argumentParser, unixSignals], path: "Tests/Support/model-authority",
      swiftSettings: strict),
    tests(
      "ContractTests",
      [
        "ACMEClientAPI", "DeviceGatewayAPI", "MetricsAPI", "ResponderAPI", "SchedulerAPI", "Varlink", "Telemetry", "VarlinkContract", "ForeignPython",
      ]),
    tests(
      "ChallengeHTTPTests",
      [
        "ChallengeHTTP", "ResponderAPI", "PKI", "Systemd", "Telemetry", "Varlink", "LineLog", "RawSocket", coreMetrics, lifecycle, logging, nio,
        nioEmbedded, subprocess,
      ]),
    tests(
      "VarlinkTests", ["Varlink", "Telemetry", "RawSocket", "ForeignPython", lifecycle, logging, nio, nioEmbedded],
      resources: [.embedInCode("com.example.test.varlink")]),
    tests("AppWebsocketTests", ["AppWebsocket", "PKI"], resources: [.copy("Resources")]),
    tests(
      "ACMEConnectorTests",
      [
        "ACMEConnectorCommand", "SchedulerAPI", "DeviceGatewayAPI", "MetricsAPI", "Varlink", "Telemetry", "PKI", "Systemd", argumentParser, logging,
        nioConcurrency, subprocess,
      ]),
    tests(
      "SchedulerTests",
      [
        "Scheduler", "SchedulerAPI", "ACMEClientAPI", "PKI", "Varlink", "Telemetry", sqlite, sqliteItself, crypto, lifecycle, logging, swiftASN1,
        x509,
      ]),
    tests(
      "DeviceGatewayTests",
      [
        "DeviceGateway", "AppWebsocket", "DeviceGatewayAPI", "ResponderAPI", "SchedulerAPI", "PKI", "ServiceRuntime", "Systemd", "Varlink",
        "RawSocket", "ForeignPython", lifecycle, logging, nio, nioConcurrency, nioEmbedded, nioHTTP1, nioWebSocket,
      ]),
    tests(
      "ACMEDeviceTests",
      [
        "ACMEDeviceCommand", "AppWebsocket", "PKI", "Systemd", argumentParser, crypto, nio, nioConcurrency, nioPosix, nioHTTP1, nioSSL, nioWebSocket,
        "RawSocket", subprocess, swiftASN1, x509,
      ]),
    tests("PKITests", ["PKI", crypto, swiftASN1, x509], resources: [.copy("Resources")]),
    tests("SystemdTests", ["Systemd", "CSystemd"]),
    tests(
      "ACMEClientTests",
      [
        "ACMEClient", "ACMEClientAPI", "ModelAuthority", "ResponderAPI", "PKI", "LineLog", "RawSocket", "ServiceRuntime", "Varlink", crypto, logging,
        nio, nioPosix, nioHTTP1, subprocess,
      ]),
    tests("TelemetryTests", ["Telemetry", "Systemd", logging, coreMetrics]),
    tests(
      "ServiceRuntimeTests",
      ["ServiceRuntime", "RuntimeProbe", "Systemd", "Telemetry", "Varlink", "MetricsAPI", lifecycle, logging, coreMetrics, subprocess]),
    .executableTarget(
      name: "RuntimeProbe", dependencies: ["ServiceRuntime", "Systemd", "Varlink", lifecycle],
      path: "Tests/Support/runtime-probe", swiftSettings: strict),
    // The scheduler's decisions (a link to its folder), with a model CA and model devices
    .executableTarget(
      name: "RenewalSimulation", dependencies: ["SchedulerAPI", "ACMEClientAPI", "PKI", "Telemetry", "Chance", logging],
      path: "Tests/Simulation", swiftSettings: strict),
    tests("SimulationTests", ["RenewalSimulation"]),
    .testTarget(
      name: "IntegrationTests",
      dependencies: ["ModelAuthority", "Programs", "Chance", "ACMEClientAPI", "ResponderAPI", "SchedulerAPI", "DeviceGatewayAPI", "PKI", "Varlink"],
      path: "Tests/Integration", exclude: ["foreign"], swiftSettings: strict),
    .testTarget(name: "SystemTests", dependencies: ["Programs"], path: "Tests/System", exclude: ["bed"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
