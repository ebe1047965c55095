/* OCI createRuntime hook: lets a container pin as much memory as it may use.
 *
 * VFIO pins a guest's memory and charges it to RLIMIT_MEMLOCK; a container without privilege has a small one. Reads
 * the OCI state (JSON on stdin) for the pid, the pid's cgroup v2 for memory.max and the hugetlb limits, and sets the
 * limit to their sum plus slack for ROMs and shared memory. The kernel charges pinned pages to memory.max all the
 * same, so nothing is given away. Static and without a shell, as hosts may lack both libraries and shells.
 *
 * LIBVF_PROC and LIBVF_CGROUP name other roots and LIBVF_SLACK another slack in bytes, for tests. Exit 0, or 1 with what, where and the cure on stderr.
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

#define SLACK (512ULL << 20)

static const char *root_of(const char *variable, const char *usual)
{
	const char *value = getenv(variable);
	return value && *value ? value : usual;
}

static unsigned long long slack(void)
{
	const char *bytes = getenv("LIBVF_SLACK");
	return bytes ? strtoull(bytes, NULL, 10) : SLACK;
}

static int read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return -1;
	size_t length = fread(text, 1, size - 1, file);
	text[length] = 0;
	fclose(file);
	return 0;
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

/* The cgroup v2 path of a pid ("/kubepods.slice/.."), in `line`. */
static char *cgroup_of(long pid, char *text, size_t size)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%ld/cgroup", root_of("LIBVF_PROC", "/proc"), pid);
	if (read_text(path, text, size))
		return NULL;
	char *line = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	if (!line) {
		errno = ENOENT;
		return NULL;
	}
	line = strchr(line, '/');
	if (line)
		line[strcspn(line, "\n")] = 0;
	return line;
}

int main(void)
{
	static char text[PATH_MAX];
	char folder[2 * PATH_MAX];
	long pid = container_pid();
	if (pid <= 0)
		return no_pid("libvf-hook");
	char *cgroup = cgroup_of(pid, text, sizeof text);
	if (!cgroup)
		return fail("libvf-hook", "no cgroup v2 of the container in", "/proc/<pid>/cgroup", "boot the host with cgroup v2");
	const char *root = root_of("LIBVF_CGROUP", "/sys/fs/cgroup");
	snprintf(folder, sizeof folder, "%s%s", root, cgroup);
	rlim_t bytes = memory_of(root, cgroup) + hugetlb_of(folder) + slack();
	struct rlimit limit = {bytes, bytes};
	if (prlimit(pid, RLIMIT_MEMLOCK, &limit, NULL))
		return fail("libvf-hook", "can not raise RLIMIT_MEMLOCK of", "the container", "the runtime must run hooks as root");
	return 0;
}
