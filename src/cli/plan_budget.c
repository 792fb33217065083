/* What of a plan fits into the time of --budget. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "cli/plan_internal.h"

enum status plan_budget_parse(const char *text, double *out, struct err *e)
{
    if (num_parse_duration(text, out) && *out > 0)
        return ST_OK;
    return err_set(e, ST_USAGE, "--budget: not a time, allowed: more than 0, such as 90s, 30m, 2h or 1h30m");
}

enum status plan_budget_check(const struct plan *p, struct err *e)
{
    if (!p->has_speed)
        return err_set(
            e, ST_FAILED,
            "plan: --budget needs predicted times: firesweep plan --calibrate measures this machine");
    if (p->images.train < 0)
        return err_set(e, ST_FAILED,
                       "plan: --budget needs the number of images: put the data in place or set "
                       "data.train_images");
    return ST_OK;
}

static const struct table_column columns[] = {
    {.name = "budget_s", .title = "budget, s", .decimals = 0},
    {.name = "fit", .title = "trials that fit, in the spec's order"},
    {.name = "last_fitting_trial", .title = "the last of them"},
    {.name = "fit_wall_s", .title = "their time, s", .decimals = 0},
    {.name = "left_out", .title = "trials that do not fit"},
    {.name = "all_wall_s", .title = "time of all, s", .decimals = 0},
    {.name = "fit_cheapest_first", .title = "trials that would fit, cheapest first"},
};

static int shorter_first(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The longest beginning of the list that `workers` finish within the budget, each trial on the worker that is
 * free first; *wall_s is when. */
static int fitting(const double *trial_s, int count, int workers, double budget_s, double *wall_s)
{
    double free_at[PACKING_MAX_WORKERS] = {0};
    *wall_s = 0;
    for (int i = 0; i < count; i++) {
        int first = 0;
        for (int w = 1; w < workers; w++)
            first = free_at[w] < free_at[first] ? w : first;
        if (free_at[first] + trial_s[i] > budget_s)
            return i;
        free_at[first] += trial_s[i];
        *wall_s = fmax(*wall_s, free_at[first]);
    }
    return count;
}

/* `trial_s`, `trial`: room for the seconds and the number of every trial. */
static enum status row(const struct plan *p, double *trial_s, int *trial, struct table *t, struct err *e)
{
    const int workers = p->packing.workers;
    int count = 0;
    double wall_s = 0, ignored;
    for (int i = 0; i < p->space.trial_count; i++) {
        trial_s[count] = plan_left_s(p, i);
        trial[count] = i + 1;
        count += trial_s[count] > 0;
    }
    const int fit = fitting(trial_s, count, workers, p->budget_s, &wall_s);
    const int last = fit > 0 ? trial[fit - 1] : 0;
    qsort(trial_s, (size_t)count, sizeof *trial_s, shorter_first);
    const int cheapest = fitting(trial_s, count, workers, p->budget_s, &ignored);
    const struct cell cells[] = {
        cell_real(p->budget_s), cell_int(fit),         last > 0 ? cell_int(last) : cell_null(),
        cell_real(wall_s),      cell_int(count - fit), cell_real(forecast_wall_s(trial_s, count, workers)),
        cell_int(cheapest)};
    return table_row(t, cells, e);
}

static enum status rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    double *trial_s = mem_alloc((size_t)p->space.trial_count + 1, sizeof *trial_s);
    int *trial = mem_alloc((size_t)p->space.trial_count + 1, sizeof *trial);
    enum status st;
    if (trial_s && trial)
        st = row(p, trial_s, trial, t, e);
    else
        st = err_set(e, ST_NOMEM, "out of memory");
    mem_free(trial_s);
    mem_free(trial);
    return st;
}

static void note(const void *context, FILE *out)
{
    const struct plan *p = context;
    int i = 0;
    while (i < p->space.trial_count && plan_left_s(p, i) <= 0)
        i++;
    if (i == p->space.trial_count) {
        fputs("\nNote: nothing is left to train.\n", out);
        return;
    }
    fprintf(
        out,
        "\nNote: these are predictions, which may be off by %d %% or so (totals). run starts the longest "
        "trials first; to train only what fits, leave the other trials out of the spec, or give train_s a "
        "limit in constraints.\n",
        plan_error_percent(p));
}

/* With a search most trials are never trained in full: what fits are rungs. */

static const struct table_column rung_columns[] = {
    {.name = "budget_s", .title = "budget, s", .decimals = 0},
    {.name = "rungs", .title = "rungs of the search"},
    {.name = "rungs_fit", .title = "rungs that end in that time"},
    {.name = "fit_wall_s", .title = "their time, s", .decimals = 0},
    {.name = "all_wall_s", .title = "time of the whole search, s", .decimals = 0},
};

static enum status rung_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    struct plan_rung rungs[PLAN_RUNGS_MAX];
    int count = 0, fit = 0;
    const enum status st = plan_rungs(p, rungs, &count, e);
    if (st != ST_OK)
        return st;
    while (fit < count && rungs[fit].end_s <= p->budget_s)
        fit++;
    const struct cell cells[] = {cell_real(p->budget_s), cell_int(count), cell_int(fit),
                                 cell_real(fit > 0 ? rungs[fit - 1].end_s : 0),
                                 cell_real(rungs[count - 1].end_s)};
    return table_row(t, cells, e);
}

static void rung_note(const void *context, FILE *out)
{
    const struct plan *p = context;
    fprintf(
        out,
        "\nNote: these are predictions, which may be off by %d %% or so (totals). The search counts from its "
        "start%s; each variant that goes on counts as the average one%s.\n",
        plan_error_percent(p), p->changes.db ? ", whatever the database holds" : "",
        p->spec.search.mode == SEARCH_PARETO ? "; in pareto mode more may go on" : "");
}

struct section plan_budget_section(const struct plan *p)
{
    static const struct section in_order = {
        .name = "budget", SECTION_COLUMNS(columns), .record = true, .rows = rows, .note = note};
    static const struct section by_rung = {.name = "budget",
                                           SECTION_COLUMNS(rung_columns),
                                           .record = true,
                                           .rows = rung_rows,
                                           .note = rung_note};
    return p->spec.search.on ? by_rung : in_order;
}
