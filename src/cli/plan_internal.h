/* Between plan.c and plan_space.c. */
#ifndef CLI_PLAN_INTERNAL_H
#define CLI_PLAN_INTERNAL_H

#include "base/strbuf.h"
#include "cli/output.h"
#include "cli/plan_changes.h"
#include "sweep/forecast.h"
#include "sweep/space.h"
#include "sweep/spec.h"

struct plan {
    struct plan_changes changes; /* first: a plan is the context of the sections of plan_changes.h too */
    struct spec spec;
    struct space space;
    int *first_membership, *next_membership; /* of each trial, of each membership; -1 = none */
    struct forecast forecast;
    struct image_counts images;
    struct packing packing; /* as run would choose with nothing done yet */
    double wall_s;          /* and how long that would take, 0 = not known */
    bool has_speed;
    struct speed speed;
    double disk_free_bytes; /* where the database is or will be, -1 = not known */
    int shown;              /* trials listed in a table, the first of them */
    double budget_s;        /* of --budget, 0 = none */
};

/* "SR=0.125 freq=2" from the JSON object. */
void plan_format_axes(struct strbuf *b, const char *axes);

/* Predicted seconds of a trial on the threads of a worker; 0 when not known. */
double plan_predicted_s(const struct plan *p, int trial);

/* What a search trains, rung by rung (rungs); its context is the struct plan. */
extern const struct section plan_search_section;

/* Seconds that a trial still needs: all of it, or what a database does not hold; 0 when not known or done. */
double plan_left_s(const struct plan *p, int trial);

/* Sections on what the conditions removed (removed, skipped), on trials with several names (aliases), and,
 * last, on what fits into the time of --budget (budget); their context is the struct plan. */
enum { PLAN_SPACE_SECTIONS = 4 };
extern const struct section plan_space_sections[PLAN_SPACE_SECTIONS];

/* Reads --budget. It needs predictions. */
enum status plan_budget_parse(const char *text, double *out, struct err *e);
enum status plan_budget_check(const struct plan *p, struct err *e);

#endif
