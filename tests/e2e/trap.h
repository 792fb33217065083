/* File operations of a program under test, held by the kernel until the test has decided about each one: it
 * may go on, fail for want of space, or be the last thing its process ever asked for. Taken at the system
 * call, so that stdio, SQLite and the program's own calls are all seen, in the order of the machine.
 *
 * This needs seccomp's notifications (Linux 5.5); a container may forbid them: see trap_available. */
#ifndef TESTS_E2E_TRAP_H
#define TESTS_E2E_TRAP_H

#include <stdbool.h>
#include <sys/types.h>

enum trap_verdict {
    TRAP_GO_ON,
    TRAP_NO_SPACE,   /* fails with ENOSPC */
    TRAP_KILL,       /* its process is killed before anything happens */
    TRAP_KILL_GROUP, /* the same with all processes of its group */
};

/* Something that changes a file, or makes it safe. */
struct trap_call {
    pid_t pid;
    const char *name; /* open (to create), write, sync, truncate, rename, link, unlink */
    const char *path; /* a new name where there are two; "" when it is gone */
};

struct trap {
    int ends[2]; /* over which the listener comes from the child */
    enum trap_verdict (*judge)(void *context, const struct trap_call *call);
    void *context;
};

/* Whether this kernel and this container allow it. */
bool trap_available(void);

/* Before the program's process is forked. */
void trap_open(struct trap *t);
/* In that process, before it becomes the program. Its children are held, too. `trap`: a struct trap. */
void trap_arm(void *trap);
/* In the test: judges all calls until the program and all children have ended. Its exit code, or 128 + signal
 * number. */
int trap_wait(struct trap *t, pid_t pid);

#endif
