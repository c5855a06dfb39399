import PKI
import SchedulerAPI

/// Which names of a request its device gets, and which it has to wait for. A name belongs to the device that first asks for it.
struct NameBinding: Hashable {
  /// Nobody holds these; they are the device's from now on.
  let free: [DNSName]
  /// Other devices hold these; an administrator decides.
  let claimed: [DNSName]

  /// - Parameter holders: who holds which of the names.
  init(_ names: [DNSName], for device: DeviceID, holders: [DNSName: DeviceID]) {
    free = names.filter { holders[$0] == nil }
    claimed = names.filter { name in holders[name].map { $0 != device } ?? false }
  }
}
