/* What every createRuntime hook begins with: the pid in the OCI state on stdin, and words for what fails. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_MAX (1 << 20)

static int fail(const char *program, const char *what, const char *where, const char *cure)
{
	fprintf(stderr, "%s: %s %s: %s: %s\n", program, what, where, strerror(errno), cure);
	return 1;
}

/* The value of the top level key "pid"; nested objects (annotations) may hold keys of that name. -1: none. */
static long pid_of(const char *json)
{
	int depth = 0;
	for (const char *at = json; *at; at++) {
		if (*at == '{' || *at == '[')
			depth++;
		else if (*at == '}' || *at == ']')
			depth--;
		else if (*at == '"') {
			const char *start = ++at;
			while (*at && *at != '"')
				at += *at == '\\' && at[1] ? 2 : 1;
			if (!*at)
				return -1;
			if (depth != 1 || at - start != 3 || strncmp(start, "pid", 3))
				continue;
			const char *rest = at + 1 + strspn(at + 1, " \t\r\n");
			if (*rest == ':')
				return strtol(rest + 1, NULL, 10);
		}
	}
	return -1;
}

/* The pid of the container that is being made; 0 or less where the state has none. */
static long container_pid(void)
{
	static char state[STATE_MAX];
	size_t length = fread(state, 1, sizeof state - 1, stdin);
	state[length] = 0;
	return pid_of(state);
}

static int no_pid(const char *program)
{
	errno = EINVAL;
	return fail(program, "no pid in the OCI state on", "stdin", "run it as a createRuntime hook");
}
