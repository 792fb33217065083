/* The part of `firesweep plan` that says how a spec differs from a results database. */
#ifndef CLI_PLAN_CHANGES_H
#define CLI_PLAN_CHANGES_H

#include "cli/output.h"
#include "report/prediction_error.h"
#include "sweep/changes.h"
#include "sweep/forecast.h"

struct plan_changes {
    char *db; /* mem_free; NULL = there is no database to compare with */
    struct changes found;
    bool images_counted;           /* then and now */
    bool images_differ;            /* in number, which is what found.data says */
    double remaining_s;            /* predicted time for what is left, 0 = not known */
    int64_t epochs;                /* left to train */
    bool search;                   /* the spec's, whose shorter rungs are not compared */
    struct prediction_error error; /* of earlier predictions, as the database shows */
};

/* Compares with the given database, or with the default one if it exists. A given one that does not exist is
 * no error: `run` would create it. `images` is what the data holds, NULL when it is not there. Call
 * plan_changes_release also after a failure. */
enum status plan_changes_load(struct plan_changes *c, const char *db, const struct spec *spec,
                              const struct space *space, const struct image_counts *images, struct err *e);
void plan_changes_release(struct plan_changes *c);

/* "done", "continues after epoch 3", "new: lr 0.04 -> 0.02": what a run would do; NULL without a database. */
const char *plan_change_text(const struct plan_changes *c, int trial, char *out, size_t n);

/* The sections "changes" and "outside"; their context is the struct plan_changes. */
enum { PLAN_CHANGE_SECTIONS = 2 };
extern const struct section plan_change_sections[PLAN_CHANGE_SECTIONS];

#endif
