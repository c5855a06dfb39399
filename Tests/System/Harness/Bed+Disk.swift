import FoundationEssentials
import Programs

extension Bed {
  /// Gives what a service keeps a disk of its own, with what it has kept so far on it. The service does not run then.
  func giveDisk(to unit: Unit) async throws {
    let move = """
      set -e
      systemctl stop "$1"
      [ -d "$0" ] || install --directory --mode=700 --owner="$2" --group="$2" "$0"
      cp --archive "$0" /root/kept
      mount -t tmpfs -o size=4M,mode=700 tmpfs "$0"
      cp --archive /root/kept/. "$0"
      """
    try await run("sh", "-c", move, unit.folder, unit.service, "acme-connector-\(unit.rawValue)")
  }

  /// Not a byte is left on it.
  func fillDisk(of unit: Unit) async throws {
    try await run(
      "sh", "-c", #"dd if=/dev/zero of="$0" bs=4k 2>/dev/null; test "$(df --output=avail "$(dirname "$0")" | tail -1)" -eq 0"#, filler(of: unit))
  }

  /// There is room on it again.
  func makeRoom(on unit: Unit) async throws { try await run("rm", filler(of: unit)) }

  /// Whether it can be written to.
  func mountDisk(of unit: Unit, as mode: String) async throws { try await run("mount", "-o", "remount,\(mode)", unit.folder) }

  private func filler(of unit: Unit) -> String { "\(unit.folder)/.filler" }
}
