import ServiceLifecycle
import ServiceRuntime

@main struct Main {
  static func main() async {
    // TLS handshakes of a fleet that comes back are the one thing here that takes a processor for long.
    await ServiceProcess("device-gateway", eventLoops: 2).run { environment in try GatewayParts(in: environment).services }
  }
}
