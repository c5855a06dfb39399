import PKI
import Testing

@Suite("Registered domains")
struct PublicSuffixListTests {
  /// Those rules of the list that its own test data is about.
  private static let list = PublicSuffixList(
    text: """
      // ===BEGIN ICANN DOMAINS===
      ac
      biz
      *.ck
      !www.ck
      cn
      com.cn
      公司.cn
      com
      jp
      ac.jp
      kyoto.jp
      ide.kyoto.jp
      *.kobe.jp
      !city.kobe.jp
      *.mm
      us
      ak.us
      k12.ak.us
      中国
      // ===BEGIN PRIVATE DOMAINS===
      uk.com this is not part of the rule
      """)

  @Test(
    "as the list's own test data has them (https://github.com/publicsuffix/list, tests)",
    arguments: [
      ("COM", nil), ("example.COM", "example.com"), ("WwW.example.COM", "example.com"),
      ("example", nil), ("example.example", "example.example"), ("b.example.example", "example.example"), ("a.b.example.example", "example.example"),
      ("biz", nil), ("domain.biz", "domain.biz"), ("b.domain.biz", "domain.biz"), ("a.b.domain.biz", "domain.biz"),
      ("com", nil), ("example.com", "example.com"), ("b.example.com", "example.com"), ("a.b.example.com", "example.com"),
      ("uk.com", nil), ("example.uk.com", "example.uk.com"), ("b.example.uk.com", "example.uk.com"), ("a.b.example.uk.com", "example.uk.com"),
      ("test.ac", "test.ac"),
      ("mm", nil), ("c.mm", nil), ("b.c.mm", "b.c.mm"), ("a.b.c.mm", "b.c.mm"),
      ("jp", nil), ("test.jp", "test.jp"), ("www.test.jp", "test.jp"), ("ac.jp", nil), ("test.ac.jp", "test.ac.jp"), ("www.test.ac.jp", "test.ac.jp"),
      ("kyoto.jp", nil), ("test.kyoto.jp", "test.kyoto.jp"), ("ide.kyoto.jp", nil), ("b.ide.kyoto.jp", "b.ide.kyoto.jp"),
      ("a.b.ide.kyoto.jp", "b.ide.kyoto.jp"), ("c.kobe.jp", nil), ("b.c.kobe.jp", "b.c.kobe.jp"), ("a.b.c.kobe.jp", "b.c.kobe.jp"),
      ("city.kobe.jp", "city.kobe.jp"), ("www.city.kobe.jp", "city.kobe.jp"),
      ("ck", nil), ("test.ck", nil), ("b.test.ck", "b.test.ck"), ("a.b.test.ck", "b.test.ck"), ("www.ck", "www.ck"), ("www.www.ck", "www.ck"),
      ("us", nil), ("test.us", "test.us"), ("www.test.us", "test.us"), ("ak.us", nil), ("test.ak.us", "test.ak.us"),
      ("www.test.ak.us", "test.ak.us"), ("k12.ak.us", nil), ("test.k12.ak.us", "test.k12.ak.us"), ("www.test.k12.ak.us", "test.k12.ak.us"),
      ("xn--85x722f.com.cn", "xn--85x722f.com.cn"), ("xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
      ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"), ("shishi.xn--55qx5d.cn", "shishi.xn--55qx5d.cn"), ("xn--55qx5d.cn", nil),
      ("xn--85x722f.xn--fiqs8s", "xn--85x722f.xn--fiqs8s"), ("www.xn--85x722f.xn--fiqs8s", "xn--85x722f.xn--fiqs8s"),
      ("shishi.xn--fiqs8s", "shishi.xn--fiqs8s"), ("xn--fiqs8s", nil),
    ] as [(String, String?)])
  func published(name: String, domain: String?) throws {
    #expect(Self.list.registeredDomain(of: try #require(DNSName(name)))?.value == domain)
  }

  @Test("without a list they have two labels")
  func empty() throws {
    #expect(PublicSuffixList.empty.registeredDomain(of: try #require(DNSName("a.b.co.uk")))?.value == "co.uk")
    #expect(PublicSuffixList.empty.registeredDomain(of: try #require(DNSName("uk"))) == nil)
  }
}
