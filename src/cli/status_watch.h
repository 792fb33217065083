/* `firesweep status --watch`. */
#ifndef CLI_STATUS_WATCH_H
#define CLI_STATUS_WATCH_H

#include "base/err.h"

/* Shows how far a database is until nothing runs in it any more: on a terminal a block that is drawn anew
 * every second, elsewhere a line whenever something changed. Each look opens the database read-only and
 * closes it, so that a sweep is never disturbed. To standard error on a terminal, else to standard output. */
enum status status_watch(const char *db, struct err *e);

#endif
