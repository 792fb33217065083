/* How a spec differs from what a database holds, before anything runs. Reads no data: whether its images
 * changed is seen by the run, which compares all pixels. */
#ifndef SWEEP_CHANGES_H
#define SWEEP_CHANGES_H

#include "base/arena.h"
#include "sweep/space.h"
#include "sweep/spec.h"
#include "sweep/store.h"

/* What `run` would do with a trial of the spec. */
enum change {
    CHANGE_NEW,       /* the database does not know it */
    CHANGE_WAITING,   /* known, not begun */
    CHANGE_CONTINUES, /* begun: continues after epochs_done */
    CHANGE_AGAIN,     /* failed, or timed out under a lower budget: is tried again */
    CHANGE_RUNNING,
    CHANGE_DONE, /* nothing, like all below */
    CHANGE_DIVERGED,
    CHANGE_TIMED_OUT,
    CHANGE_PRUNED,  /* by the search, which would decide the same again */
    CHANGE_SKIPPED, /* excluded by a constraint */
    CHANGE_COUNT
};
const char *change_name(enum change c); /* "new", "waiting", "continues", ... */
bool change_trains(enum change c);      /* whether something is left to train */

struct trial_change {
    enum change change;
    int epochs_done;
    const char *why; /* new, beside known ones: "lr 0.04 -> 0.02"; else NULL */
};

/* A trial of the sweep that the spec does not name (any more): it stays, outside the spec. */
struct outside_trial {
    int64_t id;
    const char *name;
    enum trial_state state;
    int epochs_done;
    const char *why;
};

struct changes {
    struct arena arena;
    bool known;       /* the database holds the sweep; otherwise all is new */
    const char *data; /* how data differs ("data.val 80 -> 100"), which makes all trials new; NULL = not */
    int counts[CHANGE_COUNT];
    struct trial_change *trials; /* as in the space */
    int outside_count;
    struct outside_trial *outside;
};

/* `images`: how the spec's images are known to differ from those that the sweep was last run on, NULL = not
 * known to. Call changes_release also after a failure. */
enum status changes_find(struct changes *c, struct store *store, const struct spec *spec,
                         const struct space *space, const char *images, struct err *e);
void changes_release(struct changes *c);

#endif
