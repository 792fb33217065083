/* Long answers on a terminal go through a pager, as with git: $FIRESWEEP_PAGER, else $PAGER, else less, else
 * none. */
#ifndef CLI_PAGER_H
#define CLI_PAGER_H

#include <sys/types.h>

#include "base/err.h"

struct pager {
    pid_t pid;                 /* 0: none */
    int saved;                 /* the terminal */
    void (*on_interrupt)(int); /* what SIGINT did before */
};

/* Sends standard output through the pager if it is a terminal; not if the command is empty or "cat". The
 * pager starts with the first output: a command that fails before shows its error only. Without $LESS, less
 * gets FRX: it ends by itself when everything fits on the screen. Without a pager the output stays what it
 * was. */
void pager_start(struct pager *p);
/* Waits until the reader is done; standard output is the terminal again. */
void pager_end(struct pager *p);

#endif
