/* Which checkpoints of a database are needed, and removing those that are not. */
#ifndef SWEEP_GC_H
#define SWEEP_GC_H

#include "base/arena.h"
#include "sweep/paths.h"
#include "sweep/spec.h"
#include "sweep/store.h"

/* Whether a file of a trial stays. Everything of a trial that may still be continued does. */
bool checkpoint_needed(enum checkpoint_kind kind, enum trial_state state, enum keep keep);

enum gc_fate {
    GC_KEEP,
    GC_REMOVE,  /* or removed */
    GC_FOREIGN, /* not named as a checkpoint, or no regular file, or of no trial of the database: stays */
    GC_STUCK,   /* was to be removed, but could not be */
    GC_FATE_COUNT
};

struct gc_file {
    const char *name; /* in the folder */
    struct checkpoint_name parts;
    enum gc_fate fate;
    int64_t trial; /* id; 0: of none */
    enum trial_state state;
    int64_t bytes; /* of disk that this name holds or held: 0 when it shares them with one before it in
                      the list, or, for one that goes, with one that stays */
    uint64_t device, inode; /* of the file */
};

struct gc {
    struct arena arena; /* owns the names */
    char *folder;       /* of the checkpoints; mem_free, as `files` */
    enum keep keep;
    struct gc_file *files; /* by name: those of a trial are neighbours */
    int count;
};

/* Looks at the files beside a database and decides. `keep`: what the sweeps of the database ask for (the one
 * that keeps most), or, if it is not NULL, this. Call gc_release also after a failure. */
enum status gc_look(struct gc *g, const char *db, const enum keep *keep, struct err *e);
/* Removes what gc_look found not to be needed. Trials whose final weights go are recorded as without a
 * checkpoint first. Only trials that have come to their end are concerned, so a run may be at work on the
 * database. A file that cannot be removed stays (GC_STUCK); the first one is the error, after all others are
 * done. When the database cannot be written nothing is removed. */
enum status gc_remove(struct gc *g, const char *db, struct err *e);
void gc_release(struct gc *g);

#endif
