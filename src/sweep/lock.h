/* One run at a time on a database: an flock on `<db>.lock`, which names its holder. */
#ifndef SWEEP_LOCK_H
#define SWEEP_LOCK_H

#include "base/err.h"

struct run_lock {
    int fd; /* -1: not held */
    char *path;
};
#define RUN_LOCK_INIT ((struct run_lock){-1, NULL})

/* Takes the lock; the folder exists. When a living run holds it: ST_FAILED, naming process and host. When the
 * run that holds it is gone but its workers still save their state (they keep the descriptor open), waits for
 * them, two minutes at most; `waiting` (may be NULL) is called once then. */
enum status run_lock_take(struct run_lock *lock, const char *db,
                          void (*waiting)(void *context, const char *text), void *context, struct err *e);
/* The same error when a living run holds the lock, without creating or keeping anything. */
enum status run_lock_check(const char *db, struct err *e);
/* Removes the file and unlocks; safe when not held. */
void run_lock_release(struct run_lock *lock);

#endif
