/* OCI createRuntime hook: lets a container pin as much memory as it may use, or holds it to its cell.
 *
 *   libvf-hook                       RLIMIT_MEMLOCK
 *   libvf-hook cell 4-7,12-15 1      cpuset.cpus and cpuset.mems, see cell.h
 *
 * VFIO pins a guest's memory and charges it to RLIMIT_MEMLOCK; a container without privilege has a small one. Reads
 * the OCI state (JSON on stdin) for the pid, the pid's cgroup v2 for memory.max and the hugetlb limits, and sets the
 * limit to their sum plus slack for ROMs and shared memory. The kernel charges pinned pages to memory.max all the
 * same, so nothing is given away. Static and without a shell, as hosts may lack both libraries and shells.
 *
 * LIBVF_SLACK is another slack in bytes, for tests. Exit 0, or 1 with what, where and the cure on stderr.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "oci.h"

#include "cgroup.h"

#include "cell.h"

#define SLACK (512ULL << 20)

static unsigned long long slack(void)
{
	const char *bytes = getenv("LIBVF_SLACK");
	return bytes ? strtoull(bytes, NULL, 10) : SLACK;
}

/* A limit file's bytes; ULLONG_MAX for "max" or where the file is missing (the root has none). */
static unsigned long long limit_of(const char *folder, const char *name)
{
	char path[PATH_MAX], text[64];
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return ULLONG_MAX;
	if (read_text(path, text, sizeof text) || !isdigit((unsigned char)*text))
		return ULLONG_MAX;
	return strtoull(text, NULL, 10);
}

static int is_hugetlb(const char *name)
{
	size_t length = strlen(name);
	return !strncmp(name, "hugetlb.", 8) && length > 12 && !strcmp(name + length - 4, ".max") &&
	       !strstr(name, ".rsvd.");
}

/* The sum of the finite hugetlb limits of one cgroup. */
static unsigned long long hugetlb_of(const char *folder)
{
	unsigned long long sum = 0;
	DIR *entries = opendir(folder);
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		unsigned long long one = is_hugetlb(entry->d_name) ? limit_of(folder, entry->d_name) : ULLONG_MAX;
		sum += one == ULLONG_MAX ? 0 : one;
	}
	if (entries)
		closedir(entries);
	return sum;
}

/* The smallest memory.max from the container's cgroup up to the root; the host's memory where all say "max". */
static unsigned long long memory_of(const char *root, const char *cgroup)
{
	char folder[PATH_MAX];
	unsigned long long least = (unsigned long long)sysconf(_SC_PHYS_PAGES) * (unsigned long long)sysconf(_SC_PAGESIZE);
	if (snprintf(folder, sizeof folder, "%s%s", root, cgroup) >= (int)sizeof folder)
		return least;
	while (strlen(folder) > strlen(root)) {
		unsigned long long here = limit_of(folder, "memory.max");
		least = here < least ? here : least;
		*strrchr(folder, '/') = 0;
	}
	return least;
}

/* As much memory may be locked as the container may use. */
static int raise_memlock(long pid, const char *root, const char *cgroup, const char *folder)
{
	rlim_t bytes = memory_of(root, cgroup) + hugetlb_of(folder) + slack();
	struct rlimit limit = {bytes, bytes};
	if (prlimit(pid, RLIMIT_MEMLOCK, &limit, NULL))
		return fail("libvf-hook", "can not raise RLIMIT_MEMLOCK of", "the container", "the runtime must run hooks as root");
	return 0;
}

int main(int count, char **words)
{
	static char text[PATH_MAX];
	char folder[2 * PATH_MAX];
	int cell = count == 4 && !strcmp(words[1], "cell");
	errno = EINVAL;
	if (count != 1 && !cell)
		return fail("libvf-hook", "not understood:", "the arguments", "none, or: cell CPUS NODES");
	long pid = container_pid();
	if (pid <= 0)
		return no_pid("libvf-hook");
	char *cgroup = cgroup_of(pid, text, sizeof text);
	if (!cgroup)
		return fail("libvf-hook", "no cgroup v2 of the container in", "/proc/<pid>/cgroup", "boot the host with cgroup v2");
	const char *root = root_of("LIBVF_CGROUP", "/sys/fs/cgroup");
	snprintf(folder, sizeof folder, "%s%s", root, cgroup);
	return cell ? bind_cell(folder, words[2], words[3]) : raise_memlock(pid, root, cgroup, folder);
}
