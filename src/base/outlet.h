/* Text for people that nobody may be reading: a full pipe whose reader stands still, a terminal after Ctrl-S.
 * Who has other things to do must not wait in write(2) for them. */
#ifndef BASE_OUTLET_H
#define BASE_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

struct outlet {
    int fd;
    bool own;           /* opened here */
    bool socket;        /* what is written to one may be told not to wait, each time */
    struct strbuf rest; /* accepted, of which `written` bytes are written */
    size_t written;
};

/* Writes to `target`, which stays open and is left as it is, also for other processes that share it. Cannot
 * fail: where the system does not let a pipe or terminal be opened once more, a text longer than the room it
 * has may have to wait. */
void outlet_open(struct outlet *o, int target);
void outlet_release(struct outlet *o);

/* Writes what is left as far as that is possible now. True: nothing is left. */
bool outlet_ready(struct outlet *o);
/* Writes what can be written now and keeps the rest; never waits. What cannot be written at all (a pipe
 * without reader) or kept (no memory) is lost. */
void outlet_send(struct outlet *o, const char *text, size_t n);
/* Waits until everything is written or cannot be. Signals end it as they end the process. */
void outlet_finish(struct outlet *o);

#endif
