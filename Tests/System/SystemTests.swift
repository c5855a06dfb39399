import Testing

/// The connector as it is deployed: its units under a systemd that is PID 1, with a journald. One machine at a time.
///
/// In CI a machine that cannot boot one fails, and says why; elsewhere it skips, and says why.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: Bed.isWanted, "\(Bed.obstacle ?? "")"))
enum SystemTests {}
