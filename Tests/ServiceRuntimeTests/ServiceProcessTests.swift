import FoundationEssentials
import Glibc
import MetricsAPI
import Subprocess
import Systemd
import Testing
import Varlink

@testable import RuntimeProbe

/// The life of a service process, by the real thing: activation by systemd's own tool, signals, exit codes.
@Suite(.timeLimit(.minutes(1))) struct ServiceProcessTests {
  private func exposition(of probe: Probe) async throws -> String {
    try await probe.client.call(MetricsAPI.Metrics.Read.self, .init()).exposition
  }

  @Test("connections that came before the process are answered, and the accept queue is as long as the socket unit wants it")
  func activation() async throws {
    try await withTemporaryFolder { folder in
      let end = try await Probe.run(in: folder) { probe in
        let text = try await exposition(of: probe)
        #expect(!text.contains("varlink_calls_total"))
        let sockets = try await Subprocess.run(
          .name("ss"), arguments: ["-xlH", "src", probe.socket], output: .string(limit: 65_536)
        ).standardOutput
        #expect(sockets.split(separator: " ").dropFirst(3).first == "\(ListeningSocket.unitBacklog)")
        probe.send(SIGTERM)
      }
      #expect(end.status == .exited(0))
      #expect(end.log.isEmpty)
    }
  }

  @Test("an idle process ends by itself with exit code 0, and its counters go on in the next")
  func idleExit() async throws {
    try await withTemporaryFolder { folder in
      for calls in ["0", "1"] {
        let end = try await Probe.run(in: folder, variables: ["PROBE_IDLE_MILLISECONDS": "200"]) { probe in
          let counter = #"varlink_calls_total{method="org.acmeconnector.Metrics.Read",outcome="replied"} "#
          let text = try await exposition(of: probe)
          #expect(text.contains(counter + "1") == (calls == "1"))
        }
        #expect(end.status == .exited(0))
        #expect(end.log.count == 1 && end.log.first?.contains("idle") == true)
      }
    }
  }

  @Test("on SIGTERM what was accepted is answered, systemd is told, and the exit code is 0")
  func gracefulStop() async throws {
    try await withTemporaryFolder { folder in
      let notify = try NotifySocket(in: folder)
      let end = try await Probe.run(in: folder, variables: ["NOTIFY_SOCKET": notify.path]) { probe in
        #expect(await notify.next("") == "READY=1")
        async let answer = probe.client.call(Wait.self, .init(milliseconds: 300))
        await notify.next("STATUS=waiting")
        probe.send(SIGTERM)
        #expect(await notify.next("") == "STOPPING=1")
        _ = try await answer
      }
      #expect(end.status == .exited(0))
    }
  }

  @Test("a stop is bounded: a call that takes too long is told that the service restarts")
  func boundedStop() async throws {
    try await withTemporaryFolder { folder in
      let notify = try NotifySocket(in: folder)
      let end = try await Probe.run(in: folder, variables: ["NOTIFY_SOCKET": notify.path]) { probe in
        await #expect(throws: VarlinkError.self) {
          async let answer = probe.client.call(Wait.self, .init(milliseconds: 60_000))
          await notify.next("STATUS=waiting")
          probe.send(SIGTERM)
          _ = try await answer
        }
      }
      #expect(end.status == .exited(0))
    }
  }

  @Test("SIGHUP is a reload: RELOADING=1 with its time, then READY=1")
  func reload() async throws {
    try await withTemporaryFolder { folder in
      let notify = try NotifySocket(in: folder)
      let end = try await Probe.run(in: folder, variables: ["NOTIFY_SOCKET": notify.path]) { probe in
        await notify.next("READY=1")
        probe.send(SIGHUP)
        #expect(await notify.next("")?.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") == true)
        #expect(await notify.next("") == "READY=1\nSTATUS=Reloaded")
        probe.send(SIGTERM)
      }
      #expect(end.status == .exited(0))
    }
  }

  @Test("a reload that fails leaves the service as it was, and its error cannot forge a notification")
  func failedReload() async throws {
    try await withTemporaryFolder { folder in
      let notify = try NotifySocket(in: folder)
      let variables = ["NOTIFY_SOCKET": notify.path, "PROBE_RELOAD_FAILS": "1"]
      let end = try await Probe.run(in: folder, variables: variables) { probe in
        await notify.next("READY=1")
        probe.send(SIGHUP)
        await notify.next("RELOADING=1")
        #expect(await notify.next("") == "READY=1\nSTATUS=Reload failed: the settings are bad READY=1")
        _ = try await exposition(of: probe)
        probe.send(SIGTERM)
      }
      #expect(end.status == .exited(0))
      #expect(end.log.count == 1 && end.log.first?.contains("bad\\nREADY") == true)
    }
  }

  @Test("the watchdog hears from the process again and again")
  func watchdog() async throws {
    try await withTemporaryFolder { folder in
      let notify = try NotifySocket(in: folder)
      _ = try await Probe.run(in: folder, variables: ["NOTIFY_SOCKET": notify.path, "WATCHDOG_USEC": "100000"]) { probe in
        for _ in 0..<3 { #expect(await notify.next("WATCHDOG=1") != nil) }
        probe.send(SIGTERM)
      }
    }
  }

  @Test("without its socket a service does not start: one line that names what is missing and what came, exit code 1")
  func missingSocket() async throws {
    try await withTemporaryFolder { folder in
      let end = try await Probe.run(in: folder, socketNames: "other") { _ in }
      #expect(end.status == .exited(1))
      #expect(end.log.count == 1)
      for part in ["socket probe", "other", "FileDescriptorName="] { #expect(end.log.first?.contains(part) == true) }
    }
  }

  @Test("a file that it cannot write is told once, in the log and in its status; when that is mended it starts by itself")
  func mended() async throws {
    try await withTemporaryFolder { folder in
      let notify = try NotifySocket(in: folder)
      let blocked = folder.appending(component: "blocked")
      try Data().write(to: blocked)
      let variables = ["NOTIFY_SOCKET": notify.path, "PROBE_FILE": blocked.appending(component: "f").filePath]
      let end = try await Probe.run(in: folder, variables: variables) { probe in
        let status = "READY=1\nSTATUS=Cannot start: \(blocked.filePath)/f: cannot open: Not a directory"
        #expect(await notify.next("") == status)
        for _ in 0..<2 { #expect(await notify.next("") == "WATCHDOG=1") }
        try FileManager.default.removeItem(at: blocked)
        try FileManager.default.createDirectory(at: blocked, withIntermediateDirectories: false)
        _ = try await exposition(of: probe)
        probe.send(SIGTERM)
      }
      #expect(end.status == .exited(0))
      #expect(end.log.count == 2 && end.log.first?.contains("Not a directory") == true && end.log.last?.contains("is mended") == true)
    }
  }

  @Test("how long it stays idle is the environment's to say, and what says nothing is told")
  func idleVariable() async throws {
    try await withTemporaryFolder { folder in
      let limit = ["PROBE_IDLE_MILLISECONDS": "200", "ACME_CONNECTOR_IDLE": "soon"]
      let end = try await Probe.run(in: folder, variables: limit) { probe in _ = try await exposition(of: probe) }
      #expect(end.status == .exited(0))
      #expect(end.log.count == 2 && end.log.first?.contains("ACME_CONNECTOR_IDLE") == true && end.log.last?.contains("idle") == true)
    }
  }

  @Test("a socket that nothing serves is told, for connections to it would wait for ever")
  func unclaimedSocket() async throws {
    try await withTemporaryFolder { folder in
      let end = try await Probe.run(in: folder, socketNames: "probe:extra") { probe in
        _ = try await exposition(of: probe)
        probe.send(SIGTERM)
      }
      #expect(end.status == .exited(0))
      #expect(end.log.count == 1 && end.log.first?.contains("socket=extra") == true)
    }
  }

  @Test("a log level that is none is told, and the log goes on at info")
  func unknownLogLevel() async throws {
    try await withTemporaryFolder { folder in
      let end = try await Probe.run(in: folder, variables: ["ACME_CONNECTOR_LOG": "chatty\n"]) { probe in
        _ = try await exposition(of: probe)
        probe.send(SIGTERM)
      }
      #expect(end.log.count == 1 && end.log.first?.contains("value=chatty\\n") == true)
    }
  }

  @Test("a rehearsed death kills the process at the step, once")
  func rehearsedDeath() async throws {
    try await withTemporaryFolder { folder in
      let variables = ["ACME_CONNECTOR_DIE_AT": "other.step,probe.starting", "ACME_CONNECTOR_DIE_MARKERS": folder.filePath]
      let first = try await Probe.run(in: folder, variables: variables) { _ in }
      #expect(first.status == .signaled(SIGKILL))
      #expect(FileManager.default.fileExists(atPath: folder.appending(component: "probe.starting").filePath))
      let second = try await Probe.run(in: folder, variables: variables) { probe in
        _ = try await exposition(of: probe)
        probe.send(SIGTERM)
      }
      #expect(second.status == .exited(0))
    }
  }
}
