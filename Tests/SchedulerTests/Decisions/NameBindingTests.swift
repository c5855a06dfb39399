import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("Whose a name is")
struct NameBindingTests {
  private let name = dns("a.example.net")

  private func party(_ device: String, scope: String = "instance", isProxy: Bool = false) -> NameBinding.Party {
    NameBinding.Party(device: DeviceID(rawValue: device), scope: scope, isReverseProxy: isProxy)
  }

  private func binding(for device: NameBinding.Party, heldBy holder: NameBinding.Party?) -> NameBinding {
    NameBinding([name], for: device, holders: holder.map { [name: $0] } ?? [:])
  }

  @Test("a name is the first one's that asks for it, and another device has to wait")
  func first() {
    #expect(binding(for: party("1"), heldBy: nil).free == [name])
    #expect(binding(for: party("2"), heldBy: party("1")).claimed == [name])
    let again = binding(for: party("1"), heldBy: party("1"))
    #expect(again.free.isEmpty && again.claimed.isEmpty)
  }

  @Test("a reverse proxy has certificates for the names of the devices behind it, of the same login only")
  func proxy() {
    let shared = binding(for: party("rp", isProxy: true), heldBy: party("1"))
    #expect(shared.free.isEmpty && shared.claimed.isEmpty)
    #expect(binding(for: party("rp", scope: "domain:other", isProxy: true), heldBy: party("1")).claimed == [name])
    let second = binding(for: party("rp2", isProxy: true), heldBy: party("rp", isProxy: true))
    #expect(second.free.isEmpty && second.claimed.isEmpty)
  }

  @Test("a name that the proxy asked for first becomes the device's behind it, and no second device's")
  func behind() {
    #expect(binding(for: party("1"), heldBy: party("rp", isProxy: true)).free == [name])
    #expect(binding(for: party("2"), heldBy: party("1")).claimed == [name])
    #expect(binding(for: party("1", scope: "domain:other"), heldBy: party("rp", isProxy: true)).claimed == [name])
  }
}
