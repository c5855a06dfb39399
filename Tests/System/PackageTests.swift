import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  /// The Debian packages, as `make deb` makes them: release executables on a machine that had nothing of them.
  @Suite("The packages", .enabled(if: Packages.areWanted, "there are no packages in .build/packages; make deb makes them"))
  struct PackageTests {
    private static let database = "/var/lib/acme-connector/scheduler"

    @Test("installed, every socket listens, the scheduler runs and nothing else does, and so it will be at the next start of the machine")
    func installed() async throws {
      try await Bed.withPackages("acme-connector", "acme-device") { bed in
        for role in Role.all { #expect(try await bed.state(of: role.socket) == "active", "\(role.socket)") }
        for unit in Unit.allCases {
          let state = try await bed.state(of: unit.service)
          #expect(state == (unit == .scheduler ? "active" : "inactive"), "\(unit)")
        }
        #expect(try await bed.run("systemctl", "is-enabled", "acme-connector.target") == "enabled")
        for role in Role.all { #expect(try await bed.answers(role), "\(role.socket)") }
      }
    }

    @Test("need no Swift on the machine, and bring a manual page for every command and unit, and the shells' completions")
    func complete() async throws {
      try await Bed.withPackages("acme-connector", "acme-device") { bed in
        for executable in try await bed.files(of: "acme-connector", "acme-device", matching: "^/usr/(bin/|libexec/acme-connector/[^/]+$)") {
          let libraries = try await bed.run("ldd", executable)
          #expect(!libraries.contains("swift") && !libraries.contains("not found"), "\(executable): \(libraries)")
        }
        let units = try await bed.files(of: "acme-connector", "acme-device", matching: "/systemd/system/[^/]+$").map {
          URL(filePath: $0).lastPathComponent
        }
        #expect(units.count == Role.all.count + Unit.allCases.count + 3)
        for page in units + ["acme-connector", "acme-device", "acme-connector.settings"] {
          let shown = try await bed.outcome("man", ["--where", page])
          #expect(shown.succeeded, "\(page): \(shown.complaints)")
        }
        // Of what the programs say of themselves: a subcommand, an option, a setting and its variable.
        let pages = [("acme-connector", ["names approve", "--runtime"]), ("acme-device", ["enroll", "--daemon"])]
        let settings = ["authority.trustRoots", "ACME_CONNECTOR_AUTHORITY_TRUST_ROOTS"]
        for (page, words) in pages + [("acme-connector.settings", settings)] {
          let text = try await bed.run("sh", "-c", #"man --encoding=ascii "$0" | col -b"#, page)
          for word in words { #expect(text.contains(word), "\(page)") }
        }
        for shell in ["bash-completion/completions/%", "zsh/vendor-completions/_%", "fish/vendor_completions.d/%.fish"] {
          for command in ["acme-connector", "acme-device"] {
            let script = try await bed.run("cat", "/usr/share/" + shell.replacing("%", with: command))
            #expect(script.contains(command == "acme-device" ? "enroll" : "settings"), "\(shell)")
          }
        }
      }
    }

    @Test("an instance of acme-device@.service obtains a certificate, runs its hook, and stays connected through a restart of the gateway")
    func device() async throws {
      try await Bed.withPackages("acme-connector", "acme-device") { bed in
        try await bed.writeFirstSecrets()
        try await bed.withAuthority { root in
          let pin = try await bed.gatewayPin()
          let settings = """
            CONNECTOR=wss://127.0.0.1:8443/connector
            NAMES="www.system.example system.example"
            OPTIONS="--pin \(pin) --install-hook 'echo hook sees $RENEWED_DOMAINS'"
            """
          try await bed.write(settings, to: "/etc/acme-device/default.conf")
          try await bed.run("cp", Bed.deviceSecret, "/etc/credstore/acme-device.default")
          try await bed.run("systemctl", "enable", "--now", "acme-device@default.service")
          try await bed.eventually("no certificate is in use", within: .seconds(60)) {
            try await bed.journal("--unit=acme-device@default").contains { $0.message.contains("the connector knows that it is in use") }
          }
          try await bed.expectCertificate(for: ["www.system.example", "system.example"], in: "/var/lib/acme-device/default", under: root)
          #expect(try await bed.journal("--unit=acme-device@default").contains { $0.message.contains("hook sees www.system.example system.example") })

          try await bed.run("systemctl", "restart", Unit.deviceGateway.service)
          try await bed.eventually("it did not log in again") {
            try await bed.journal("--unit=acme-device@default").count { $0.message.hasSuffix("logged in") } == 2
          }
          #expect(try await bed.state(of: "acme-device@default.service") == "active")
          #expect(try await bed.property("NRestarts", of: "acme-device@default.service") == "0")
          let exposure = try await bed.outcome("systemd-analyze", ["security", "--no-pager", "--threshold=20", "acme-device@default.service"])
          #expect(exposure.succeeded, "\(exposure.output)")
        }
      }
    }

    @Test("upgraded, the database is saved first, what was there is there, and no connection to port 80 is refused")
    func upgraded() async throws {
      try await Bed.with(isBare: true) { bed in
        try await bed.dpkg("--install", bed.olderPackage("acme-connector"))
        try await bed.install("acme-device")
        try await bed.writeFirstSecrets()
        try await bed.withAuthority { _ in
          try await bed.enroll(["pbx.system.example"])
          for unit in Unit.allCases { try await bed.wake(unit) }
          let before = try await bed.property("MainPID", of: Unit.scheduler.service)
          let counts = try await bed.hammer(seconds: 15) { try await bed.install("acme-connector") }
          print("upgraded under load: \(counts)")
          #expect(counts.answered > 100 && counts.refused == 0 && counts.wrong == 0, "\(counts)")

          #expect(try await bed.property("MainPID", of: Unit.scheduler.service) != before)
          let backups = try await bed.backups()
          #expect(backups.count == 1)
          let kept = try await bed.run("sqlite3", backups.first ?? "", "SELECT count(*) FROM certificate; PRAGMA integrity_check;")
          #expect(kept == "1\nok")
          #expect(try await bed.run("acme-connector", "certificates").contains("pbx.system.example"))
          // The same device again: there is a certificate, and none is ordered.
          try await bed.enroll(["pbx.system.example"])
        }
      }
    }

    @Test("downgraded below the database, the scheduler says in one sentence which backup to go back to, and goes on with it")
    func downgraded() async throws {
      try await Bed.withPackages("acme-connector") { bed in
        try await bed.run("acme-connector", "settings", "set", "authority.contact", "admin@system.example")
        let older = try await bed.olderPackage("acme-connector")
        // An upgrade saves the database; then what a newer version would have made of it.
        try await bed.install("acme-connector")
        let database = "\(Self.database)/scheduler.sqlite"
        try await bed.run("sqlite3", database, "PRAGMA user_version = 99")
        try await bed.dpkg("--install", older)

        let backup = try #require(try await bed.backups().first { !$0.contains("schema99") })
        try await bed.eventually("the scheduler said nothing") {
          try await bed.journal("--unit=\(Unit.scheduler.service)", "--priority=crit").contains {
            $0.message.contains("cannot start") && $0.message.contains("newer version") && $0.message.hasSuffix("restore the backup \(backup)")
          }
        }
        // As docs/operations.md has it.
        try await bed.run("systemctl", "stop", "acme-connector*")
        try await bed.run("sh", "-c", "rm --force \(database)-wal \(database)-shm && cp --preserve \(backup) \(database)")
        try await bed.run("systemctl", "start", "acme-connector.target")
        #expect(try await bed.run("acme-connector", "settings").contains("admin@system.example"))
      }
    }

    @Test("removed, nothing runs any more and the state stays; purged, nothing of them is left")
    func removed() async throws {
      try await Bed.withPackages("acme-connector", "acme-device") { bed in
        try await bed.writeFirstSecrets()
        for unit in Unit.allCases { try await bed.wake(unit) }
        try await bed.run("systemctl", "enable", "acme-device@default.service")
        try await bed.write("{}", to: "/etc/acme-connector/settings.json")

        try await bed.dpkg("--remove", "acme-connector", "acme-device")
        #expect(try await bed.run("systemctl", "list-units", "--no-legend", "--state=active", "acme-*") == "")
        #expect(try await bed.run("ss", "--no-header", "--listening", "--tcp", "--numeric") == "")
        #expect(try await bed.outcome("test", ["-e", "/run/acme-connector"]).succeeded == false)
        #expect(try await bed.outcome("test", ["-f", "\(Self.database)/scheduler.sqlite"]).succeeded)
        #expect(try await bed.outcome("getent", ["passwd", "acme-connector-scheduler"]).succeeded)

        try await bed.dpkg("--purge", "acme-connector", "acme-device")
        let names = ["(", "-name", "*acme-connector*", "-o", "-name", "*acme-device*", ")", "-not", "-path", "/usr/src/acme-connector"]
        let left = try await bed.outcome("find", ["/etc", "/run", "/usr", "/var", "-xdev"] + names + ["-not", "-path", "/run/systemd/*"])
        #expect(left.output == "")
        #expect(try await bed.outcome("grep", ["acme-", "/etc/passwd", "/etc/group", "/etc/shadow"]).output == "")
      }
    }
  }
}

extension Bed {
  /// The files of packages whose paths match an extended regular expression.
  fileprivate func files(of packages: String..., matching expression: String) async throws -> [String] {
    try await run(
      "sh", "-c", #"dpkg --listfiles "$1" "$2" | grep -E "$0" | while read -r path; do [ ! -f "$path" ] || echo "$path"; done"#, expression,
      packages[0], packages[1]
    )
    .split(separator: "\n").map(String.init)
  }

  /// The backups of the scheduler's database, the earliest first.
  fileprivate func backups() async throws -> [String] {
    try await run("sh", "-c", "ls /var/lib/acme-connector/scheduler/scheduler-*.sqlite").split(separator: "\n").map(String.init)
  }
}
