import Programs
import Testing

extension SystemTests {
  @Suite("Set up from nothing") struct SetupTests {
    @Test(
      "acme-connector setup makes the logins and names the CA; its line, pasted as it is, gets a host its certificate, and the gateway gets its own")
    func fromNothing() async throws {
      try await Bed.with { bed in
        try await bed.withPebble { pebble in
          try await bed.setUpFromNothing(at: pebble)
          let again = try await bed.run("acme-connector", "setup", "--json")
          #expect(again.contains(#""changed":[]"#) && !again.contains("secret"))
        }
      }
    }
  }
}
