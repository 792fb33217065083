/* What plan.c, which puts a plan together, and the files of its parts share. */
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
    double disk_free_bytes;  /* where the database is or will be, -1 = not known */
    const char *db;          /* of --db, NULL = the default one */
    struct err data_missing; /* why the data was not looked at; "" = it was */
    struct strbuf notes;     /* lines of plan_find_notes */
    int shown;               /* trials listed in a table, the first of them */
    double budget_s;         /* of --budget, 0 = none */
};

/* Arithmetic operations of training one image in all epochs of a trial: forward, gradient to data, gradient
 * to weights; a multiply-accumulate counts as two. */
static inline double plan_operations_per_image(const struct trial *t)
{
    return 6.0 * (double)t->cost.macs * t->point.recipe.epochs;
}

/* 0 is not known. */
static inline struct cell plan_known(double value)
{
    return value > 0 ? cell_real(value) : cell_null();
}

/* Images, memberships, memory, and how a run divides the machine with nothing done yet; space and spec must
 * be there. */
enum status plan_forecast(struct plan *p, struct err *e);
/* What is left beside a database (p->changes). */
enum status plan_foretell_rest(struct plan *p, struct err *e);
/* Corrects what is foretold by what finished trials in the database (plan_changes_load) took beside it. */
enum status plan_learn(struct plan *p, struct err *e);
/* Free space where the database (NULL: the default one) is or will be. */
enum status plan_look_at_disk(struct plan *p, const char *db, struct err *e);

/* The list of trials; `columns` is room for those that this plan has. */
enum { PLAN_TRIAL_COLUMNS = 32 };
struct section plan_trials_section(const struct plan *p, struct table_column columns[PLAN_TRIAL_COLUMNS]);
/* Sums over all of them, and below, as text, the notes; its context is the struct plan. */
struct section plan_totals_section(const struct plan *p);

/* What there is to say beside the numbers, a line each, into p->notes: when all else is known. ST_NOMEM. */
enum status plan_find_notes(struct plan *p, struct err *e);
void plan_print_notes(const void *context, FILE *out); /* of a struct plan, each after an empty line */
extern const struct section plan_notes_section;        /* for programs; its context is the struct plan */

/* "SR=0.125 freq=2" from the JSON object. */
void plan_format_axes(struct strbuf *b, const char *axes);

/* Predicted seconds of a trial on the threads of a worker; 0 when not known. */
double plan_predicted_s(const struct plan *p, int trial);

/* How far predictions are off: as the database shows, else as they were when checked (trials = 0). */
struct prediction_error plan_error(const struct plan *p);
int plan_error_percent(const struct plan *p); /* its farther end */

/* What a search trains, rung by rung (rungs); its context is the struct plan. */
extern const struct section plan_search_section;
enum { PLAN_RUNGS_MAX = 32 };
struct plan_rung {
    int epochs, variants;
    double trials;
    double core_s, end_s; /* predicted: of the rung, and when it ends, from the start; 0 = not known */
};
/* All rungs, the first first. Which variants go on is not known: they are counted, and cost as the average
 * one. ST_NOMEM. */
enum status plan_rungs(const struct plan *p, struct plan_rung out[PLAN_RUNGS_MAX], int *count, struct err *e);

/* Seconds that a trial still needs: all of it, or what a database does not hold; 0 when not known or done. */
double plan_left_s(const struct plan *p, int trial);

/* Sections on what the conditions removed (removed, skipped) and on trials with several names (aliases);
 * their context is the struct plan. */
enum { PLAN_SPACE_SECTIONS = 3 };
extern const struct section plan_space_sections[PLAN_SPACE_SECTIONS];

/* Reads --budget. It needs predictions. */
enum status plan_budget_parse(const char *text, double *out, struct err *e);
enum status plan_budget_check(const struct plan *p, struct err *e);
/* What fits into it (budget): trials, or rungs of a search; the context is the struct plan. */
struct section plan_budget_section(const struct plan *p);

#endif
