import FoundationEssentials
import ServiceLifecycle
import ServiceRuntime

@main struct Main {
  static func main() async {
    await ServiceProcess("challenge-http", idleExit: .seconds(60)).run { environment in
      let tokens = try LiveTokens(log: environment.runtimeDirectory.appending(component: "leases.log"), logger: environment.logger)
      let listeners = try environment.sockets(named: "challenge-http-http")
      let services: [any Service] = [
        try environment.varlinkServer([tokens.challengesInterface, environment.metricsInterface], on: "challenge-http"),
        try environment.varlinkServer([tokens.responderInterface], on: "challenge-http-responder"),
        HTTPServer(
          listeners: listeners, tokens: tokens, hits: HitLog(logger: environment.logger, metrics: environment.metrics),
          isUsed: { environment.activity.touch() }),
      ]
      return services
    }
  }
}
