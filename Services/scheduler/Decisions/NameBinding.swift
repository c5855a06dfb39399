import PKI
import SchedulerAPI

/// Which names of a request its device gets, and which it has to wait for. A name belongs to the device that first asks for it.
///
/// A reverse proxy and the devices behind it, of one login, have certificates for the same names: such a name belongs to the device behind, whoever
/// asked first, and the proxy asks for it as often as it likes.
struct NameBinding: Hashable {
  /// Who asks for a name, or holds it.
  struct Party: Hashable {
    let device: DeviceID
    let scope: String
    let isReverseProxy: Bool

    fileprivate func shares(with other: Party) -> Bool { scope == other.scope && (isReverseProxy || other.isReverseProxy) }
  }

  /// These are the device's from now on.
  let free: [DNSName]
  /// Other devices hold these; an administrator decides.
  let claimed: [DNSName]

  /// - Parameter holders: who holds which of the names.
  init(_ names: [DNSName], for device: Party, holders: [DNSName: Party]) {
    free = names.filter { name in
      guard let holder = holders[name] else { return true }
      return holder.isReverseProxy && !device.isReverseProxy && device.shares(with: holder)
    }
    claimed = names.filter { name in
      guard let holder = holders[name], holder.device != device.device else { return false }
      return !device.shares(with: holder)
    }
  }
}
