/*
 * An OCI createRuntime hook that raises RLIMIT_MEMLOCK of one container.
 *
 * VFIO pins all of a guest's memory, and an unprivileged QEMU may lock only what this limit says. The runtime runs
 * the hook as root, outside the container, with the container's state as JSON on standard input
 * (OCI runtime specification, "POSIX-platform Hooks"); the limit is set on the container's init before it
 * executes anything and is inherited from there.
 *
 * The new limit is what the container may use at all: memory.max of its cgroup, its hugetlb limits, and slack for
 * ROMs and device memory. A container without a memory limit gets an unlimited one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SLACK (128ULL << 20) /* bytes: ROMs, shared memory and BARs that VFIO maps */

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "libvf-hook: %s: %s\n", what, why);
    return 1;
}

/* The number behind "pid" in the state; keys of the state object hold no other pid. */
static long state_pid(const char *state)
{
    const char *at = strstr(state, "\"pid\"");
    if (!at || !(at = strchr(at, ':')))
        return -1;
    return strtol(at + 1, NULL, 10);
}

/* A cgroup limit in bytes; "max" is RLIM_INFINITY, a missing file is `otherwise`. */
static rlim_t limit_in(const char *path, rlim_t otherwise)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    if (!file)
        return otherwise;
    if (!fgets(text, sizeof text, file))
        text[0] = '\0';
    fclose(file);
    return strncmp(text, "max", 3) ? strtoull(text, NULL, 10) : RLIM_INFINITY;
}

/* The container's folder in the unified cgroup hierarchy: the line "0::" of /proc/PID/cgroup (cgroups(7)). */
static int cgroup_of(long pid, char *folder, size_t size)
{
    char path[64], line[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%ld/cgroup", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    int found = -1;
    while (found && fgets(line, sizeof line, file))
        if (!strncmp(line, "0::", 3)) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(folder, size, "/sys/fs/cgroup%s", line + 3);
            found = 0;
        }
    fclose(file);
    return found;
}

static rlim_t wanted(const char *folder)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/memory.max", folder);
    rlim_t total = limit_in(path, RLIM_INFINITY);
    glob_t pages = {0};
    snprintf(path, sizeof path, "%s/hugetlb.*.max", folder);
    if (!glob(path, 0, NULL, &pages))
        for (size_t n = 0; n < pages.gl_pathc; n++) {
            rlim_t huge = limit_in(pages.gl_pathv[n], 0);
            /* "max" here only says that huge pages are not limited, not that they are used */
            if (huge != RLIM_INFINITY && total != RLIM_INFINITY)
                total += huge;
        }
    globfree(&pages);
    return total == RLIM_INFINITY ? total : total + SLACK;
}

int main(void)
{
    static char state[1 << 20];
    char folder[PATH_MAX + 32];
    size_t length = fread(state, 1, sizeof state - 1, stdin);
    state[length] = '\0';
    long pid = state_pid(state);
    if (pid <= 0)
        return fail("the container's state on standard input", "has no pid");
    if (cgroup_of(pid, folder, sizeof folder))
        return fail("/proc/PID/cgroup", "has no unified hierarchy: libvf needs cgroup v2");
    rlim_t bytes = wanted(folder);
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
    if (prlimit((pid_t)pid, RLIMIT_MEMLOCK, &limit, NULL))
        return fail("prlimit RLIMIT_MEMLOCK", strerror(errno));
    return 0;
}
