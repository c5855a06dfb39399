import ACMEClientAPI
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("Settings")
struct SettingsTests {
  private func layers(
    stored: [String: String] = [:], file: String = "{}", variables: [String: String] = [:]
  ) throws -> SettingLayers {
    try SettingLayers(stored: stored, file: SettingsFile(Array(file.utf8), path: "settings.json"), path: "settings.json", variables: variables)
  }

  private func value(_ key: String, in layers: SettingLayers) throws -> String {
    let view = try layers.view(SettingDefinition.of(key))
    return "\(view.value) \(view.source.rawValue)"
  }

  @Test("the environment wins over the file, the file over the store, the store over the default")
  func order() throws {
    let key = "devices.renewDays"
    let file = #"{"devices": {"renewDays": 20}}"#
    #expect(try value(key, in: layers()) == "30 default")
    #expect(try value(key, in: layers(stored: [key: "10"])) == "10 stored")
    #expect(try value(key, in: layers(stored: [key: "10"], file: file)) == "20 file")
    #expect(try value(key, in: layers(stored: [key: "10"], file: file, variables: ["ACME_CONNECTOR_DEVICES_RENEW_DAYS": "5"])) == "5 environment")
  }

  @Test(
    "each has an environment variable, named by one rule",
    arguments: [
      ("authority.directory", "ACME_CONNECTOR_AUTHORITY_DIRECTORY"), ("authority.termsAgreed", "ACME_CONNECTOR_AUTHORITY_TERMS_AGREED"),
      ("authority.trustRoots", "ACME_CONNECTOR_AUTHORITY_TRUST_ROOTS"), ("devices.maxDnsNames", "ACME_CONNECTOR_DEVICES_MAX_DNS_NAMES"),
    ])
  func environmentNames(key: String, variable: String) throws {
    #expect(try SettingDefinition.of(key).environmentName == variable)
  }

  @Test("a value that file or environment fix cannot be changed, and the refusal names the place")
  func fixed() throws {
    let inFile = try layers(file: #"{"devices": {"renewDays": 20}}"#)
    #expect { try inFile.storing("5", for: "devices.renewDays") } throws: {
      ($0 as? Refusal)?.word == .fixedSetting && ($0 as? Refusal)?.text.contains("settings.json") == true
    }
    let inEnvironment = try layers(variables: ["ACME_CONNECTOR_DEVICES_RENEW_DAYS": "5"])
    #expect { try inEnvironment.storing("5", for: "devices.renewDays") } throws: {
      ($0 as? Refusal)?.text.contains("ACME_CONNECTOR_DEVICES_RENEW_DAYS") == true
    }
  }

  @Test("an unknown key and a value out of bounds are refused")
  func refused() throws {
    #expect { try layers().storing("5", for: "devices.renewdays") } throws: { ($0 as? Refusal)?.word == .unknownSetting }
    for (key, value) in [
      ("devices.renewDays", "0"), ("devices.renewDays", "soon"), ("authority.directory", "ftp://x"), ("authority.public", "maybe"),
      ("authority.contact", "not an address"), ("authority.contact", "a@b.example,@"), ("doctor.mode", "loud"), ("doctor.resolver", "dns.example"),
      ("doctor.privateAddresses", "10.0.0.0/33"),
    ] {
      #expect { try layers().storing(value, for: key) } throws: { ($0 as? Refusal)?.word == .badValue }
    }
  }

  @Test("names are kept in their one form, each once, and what is no host name is refused")
  func names() throws {
    let definition = try SettingDefinition.of("gateway.names")
    #expect(try definition.normalized(" GW.example.com., gw.example.com , b.example") == "gw.example.com,b.example")
    #expect(try definition.normalized("") == "")
    for value in ["*.example.com", "192.0.2.1", "gw example"] {
      #expect { try definition.normalized(value) } throws: { ($0 as? Refusal)?.word == .badValue }
    }
    #expect(
      try Settings(layers(file: #"{"gateway": {"names": ["a.example", "b.example"]}}"#)).gateway.names.map(\.value) == ["a.example", "b.example"])
  }

  @Test("a key in the file that means nothing is found")
  func unknownInFile() throws {
    let file = try SettingsFile(Array(#"{"authority": {"directry": "x"}, "logins": {"any": 1}, "extra": 1}"#.utf8), path: "settings.json")
    #expect(file.unknownKeys == ["authority.directry", "extra"])
  }

  @Test("a value of a kind that no setting has is an error with the key and what it takes", arguments: ["1e999", "1.5", "[1]", "[[]]"])
  func strangeInFile(value: String) {
    #expect { try layers(file: #"{"orders": {"concurrent": \#(value)}}"#) } throws: {
      let text = ($0 as? SettingsError)?.description ?? ""
      return text.hasPrefix("settings.json: orders.concurrent is no text") && text.contains("From 1 to ")
    }
  }

  @Test("a file or an environment with a value that is not allowed is an error that names it")
  func badPlaces() {
    #expect(throws: SettingsError.self) { try layers(file: "no JSON") }
    #expect(throws: SettingsError.self) { try layers(file: #"{"devices": {"renewDays": 0}}"#) }
    #expect { try layers(variables: ["ACME_CONNECTOR_DEVICES_RENEW_DAYS": "x"]) } throws: {
      ($0 as? SettingsError)?.description.contains("ACME_CONNECTOR_DEVICES_RENEW_DAYS") == true
    }
  }

  @Test("an authority is public when its host is, unless somebody says otherwise")
  func publicAuthority() throws {
    func isPublic(_ directory: String, _ choice: String = "auto") throws -> Bool {
      try Settings(layers(stored: ["authority.directory": directory, "authority.public": choice])).isAuthorityPublic
    }
    #expect(try isPublic("https://acme-v02.api.letsencrypt.org/directory"))
    #expect(try !isPublic("https://localhost:14000/dir"))
    #expect(try !isPublic("https://127.0.0.1:14000/dir"))
    #expect(try isPublic("https://ca.internal/dir", "true"))
  }

  @Test("the authority has every member from its setting, lists by their commas")
  func authority() throws {
    let file = #"{"authority": {"directory": "https://ca.example/dir", "contact": ["a@b", "c@d"], "termsAgreed": true, "profile": "short"}}"#
    let authority = try #require(try Settings(layers(file: file)).authority)
    #expect(authority.directory == "https://ca.example/dir")
    #expect(authority.contact == ["a@b", "c@d"])
    #expect(authority.termsAgreed)
    #expect(authority.profile == "short")
    #expect(authority.trustRoots == nil)
  }

  @Test("no more orders at a time than acme-client serves streams")
  func concurrentOrders() throws {
    #expect(try SettingDefinition.of("orders.concurrent").normalized("100") == "100")
    #expect(throws: Refusal.self) { try SettingDefinition.of("orders.concurrent").normalized("101") }
  }

  @Test("without a directory there is no authority")
  func none() throws {
    #expect(try Settings(layers()).authority == nil)
  }
}
