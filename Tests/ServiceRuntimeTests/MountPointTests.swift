import Testing

@testable import ServiceRuntime

@Suite struct MountPointTests {
  private static let table = """
    22 1 0:20 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/,upperdir=/u
    30 22 0:21 / /var/lib/state rw,relatime - tmpfs tmpfs rw,size=4096k
    31 22 0:22 / /var/lib/state/kept ro,relatime - tmpfs tmpfs rw,size=4096k
    32 22 0:23 / /broken rw,relatime master:3 propagate_from:2 - ext4 /dev/sda1 ro,errors=remount-ro
    33 22 0:24 / /over ro - tmpfs tmpfs ro
    34 33 0:25 / /over rw - tmpfs tmpfs rw
    """

  @Test(
    "it is the one nearest to the path, the later of two; and a disk that was mounted for writing meanwhile is told from one that is not",
    arguments: [
      ("/var/lib", false, false), ("/var/lib/state", false, false), ("/var/lib/state/kept", true, false), ("/var/lib/state/kept/a/b", true, false),
      ("/var/lib/state/kept2", false, false), ("/broken/f", false, true), ("/over/f", false, false),
    ])
  func nearest(path: String, isReadOnly: Bool, isDiskReadOnly: Bool) throws {
    let mount = try #require(MountPoint(of: path, in: Self.table))
    #expect(mount.isReadOnly == isReadOnly && mount.isDiskReadOnly == isDiskReadOnly)
    #expect(mount.isOutdated == (isReadOnly && !isDiskReadOnly))
  }

  @Test("this process has one, and a table that is none has not")
  func own() {
    #expect(MountPoint(of: "/") != nil)
    #expect(MountPoint(of: "/", in: "not a table - of mounts\n") == nil)
  }
}
