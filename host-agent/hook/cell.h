/* A container held to the CPUs and the memory of its cell, by its own cpuset.
 *
 * RuntimeDefault seccomp keeps mbind and set_mempolicy from it, so nobody inside could: a cpuset holds all of it, and
 * what it inherits. The kernel takes what the Pod above has; what is left out in silence is found in the effective
 * list, which is written as the agent writes lists ("0-2,8").
 */
#define CELL_CURE "see /sys/fs/cgroup/kubepods.slice: it needs the controller cpuset, and all CPUs and NUMA nodes"

static int held(const char *folder, const char *name, const char *wanted)
{
	char path[2 * PATH_MAX + 64], text[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (write_text(path, wanted))
		return -1;
	snprintf(path, sizeof path, "%s/%s.effective", folder, name);
	if (read_text(path, text, sizeof text))
		return -1;
	text[strcspn(text, "\n")] = 0;
	errno = EPERM;
	return strcmp(text, wanted) ? -1 : 0;
}

/* Memory first: nothing of the container's own has run yet, so there is hardly any to move. */
static int bind_cell(const char *folder, const char *cpus, const char *mems)
{
	if (held(folder, "cpuset.mems", mems))
		return fail("libvf-hook", "can not hold the container to NUMA node", mems, CELL_CURE);
	if (held(folder, "cpuset.cpus", cpus))
		return fail("libvf-hook", "can not hold the container to CPUs", cpus, CELL_CURE);
	return 0;
}
