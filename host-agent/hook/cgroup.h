/* The cgroup v2 of a container that is being made: its folder, and the files in it.
 *
 * LIBVF_PROC and LIBVF_CGROUP name other roots, for tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *root_of(const char *variable, const char *usual)
{
	const char *value = getenv(variable);
	return value && *value ? value : usual;
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

/* One value into one file, in one write(2) as the kernel wants it. */
static int write_text(const char *path, const char *text)
{
	int handle = open(path, O_WRONLY | O_CLOEXEC);
	if (handle < 0)
		return -1;
	ssize_t length = strlen(text), written = write(handle, text, length);
	int kept = errno;
	close(handle);
	errno = kept;
	return written == length ? 0 : -1;
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
