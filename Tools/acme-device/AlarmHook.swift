/// The command that tells a person, or a monitoring system, of an alarm and its end.
struct AlarmHook: Sendable {
  private let hook: HookCommand

  /// - Parameters:
  ///   - command: The command, for the shell.
  ///   - log: Is given each line of its output.
  init(command: String, log: @escaping @Sendable (String) -> Void) {
    hook = HookCommand(name: "alarm hook", command: command, log: log)
  }

  /// Runs the command. Its environment says what is wrong.
  /// - Throws: a ``HookError`` when it does not end well within the time limit.
  func run(_ alarm: CertificateAlarm, folder: String) async throws {
    try await hook.run([
      "ACME_DEVICE_ALARM": alarm.isOver ? "over" : "raised",
      "ACME_DEVICE_ALARM_TEXT": alarm.text,
      "ACME_DEVICE_DIRECTORY": folder,
      "ACME_DEVICE_NOT_AFTER": "\(alarm.notAfter)",
    ])
  }
}
