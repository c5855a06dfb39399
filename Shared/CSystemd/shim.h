#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <sys/types.h>

/* SO_PEERCRED's answer. Same layout as the kernel's struct ucred (unix(7)), which glibc hides without _GNU_SOURCE. */
struct peer_credentials {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};
