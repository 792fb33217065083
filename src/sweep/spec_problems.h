/* All that is wrong with a spec, not only the first. */
#ifndef SWEEP_SPEC_PROBLEMS_H
#define SWEEP_SPEC_PROBLEMS_H

#include "base/arena.h"
#include "base/err.h"
#include "sweep/spec.h"

enum { SPEC_MAX_PROBLEMS = 50 };

struct spec_problem {
    struct mark at;   /* line 0: of the whole spec */
    const char *text; /* "SR: 1.5 is out of range, allowed: 0 < SR <= 1" */
};

struct spec_problems {
    struct arena arena;
    int count; /* 0: the spec is fine */
    struct spec_problem items[SPEC_MAX_PROBLEMS];
    bool more;         /* there may be others: the search ended before the end of the spec */
    int trials;        /* of a spec that is fine: what it expands to, without those a constraint excludes */
    int excluded;      /* by a constraint */
    const char *notes; /* lines of space_notes; NULL = none */
};

/* ST_USAGE, and an error with a place, for what higher modules find wrong with a spec. */
typedef enum status spec_check(const struct spec *spec, struct err *e);

/* Finds what spec_load, `check` (may be NULL), space_build and, with `data`, spec_check_data, dataset_look
 * and space_check_data would report, by leaving out what is wrong and looking again. In order of line and
 * column. Fails only when the file cannot be read or memory is short. Call spec_problems_release in any case.
 */
enum status spec_problems_find(const char *path, bool data, spec_check *check, struct spec_problems *out,
                               struct err *e);
void spec_problems_release(struct spec_problems *p);

#endif
