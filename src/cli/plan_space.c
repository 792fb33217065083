/* The parts of `firesweep plan` on the space itself: what conditions removed, aliases, and what fits a
 * budget. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "cli/plan_internal.h"

/* removed */

static const struct table_column removed_columns[] = {
    {.name = "block"},
    {.name = "condition", .title = "removed by"},
    {.name = "trials", .title = "trials skipped"},
    {.name = "candidates", .title = "candidates of random draws"},
};

static enum status removed_row(struct table *t, const char *block, const char *condition, int64_t trials,
                               int64_t candidates, struct err *e)
{
    const struct cell cells[] = {cell_text(block), cell_text(condition), cell_int(trials),
                                 cell_int(candidates)};
    return trials > 0 || candidates > 0 ? table_row(t, cells, e) : ST_OK;
}

/* Trials, first named by a block, that the condition removes; a condition's reason is one string. */
static int64_t skipped_by(const struct plan *p, int block, const char *reason)
{
    int64_t count = 0;
    for (int i = 0; i < p->space.trial_count; i++)
        count += p->space.trials[i].skip_reason == reason &&
                 p->space.memberships[p->first_membership[i]].block == block;
    return count;
}

static enum status removed_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    for (int block = 0; st == ST_OK && block < p->spec.block_count; block++) {
        const struct sampling *s = &p->space.samplings[block];
        const char *id = p->spec.blocks[block].id;
        const struct condition *rule;
        for (int i = 0; st == ST_OK && (rule = space_rule(&p->spec, block, i)) != NULL; i++)
            st = removed_row(t, id, rule->reason, skipped_by(p, block, rule->reason),
                             s->wanted ? s->removed[i] : 0, e);
        if (st == ST_OK)
            st = removed_row(t, id, "equal to an earlier point", 0, s->repeated, e);
        if (st == ST_OK)
            st = removed_row(t, id, s->unbuildable_why, 0, s->unbuildable, e);
    }
    return st;
}

/* A random block that did not find all its points must not pass in silence. */
static void removed_note(const void *context, FILE *out)
{
    const struct plan *p = context;
    char text[SAMPLING_TEXT];
    for (int block = 0; block < p->spec.block_count; block++) {
        const struct sampling *s = &p->space.samplings[block];
        if (s->points == s->wanted)
            continue;
        space_sampling_text(&p->spec, &p->space, block, text, sizeof text);
        fprintf(out, "\nNote: block %s has ", p->spec.blocks[block].id);
        table_print_escaped(out, text);
        fputc('\n', out);
    }
}

/* skipped, aliases */

static const struct table_column skipped_columns[] = {
    {.name = "trial"},
    {.name = "block"},
    {.name = "axes"},
    {.name = "seed"},
    {.name = "skip_reason", .title = "skipped by"},
};

static enum status named_row(const struct plan *p, int membership, const char *last, struct table *t,
                             struct err *e)
{
    const struct membership *m = &p->space.memberships[membership];
    struct strbuf axes = STRBUF_INIT;
    plan_format_axes(&axes, m->axes);
    const struct cell cells[] = {cell_int(m->trial + 1), cell_text(p->spec.blocks[m->block].id),
                                 cell_text(axes.len ? axes.text : NULL),
                                 cell_int((int64_t)p->space.trials[m->trial].seed), cell_text(last)};
    enum status st = axes.failed ? err_set(e, ST_NOMEM, "out of memory") : table_row(t, cells, e);
    strbuf_release(&axes);
    return st;
}

static enum status skipped_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    for (int i = 0; st == ST_OK && i < p->space.trial_count; i++) {
        if (p->space.trials[i].skip_reason)
            st = named_row(p, p->first_membership[i], p->space.trials[i].skip_reason, t, e);
    }
    return st;
}

static const struct table_column alias_columns[] = {
    {.name = "trial"},
    {.name = "block"},
    {.name = "axes"},
    {.name = "seed"},
    {.name = "same_as", .title = "same layers and recipe as"},
};

/* Other names of a trial: memberships with other axes than its first. */
static enum status alias_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    for (int i = 0; st == ST_OK && i < p->space.trial_count; i++) {
        const struct membership *first = &p->space.memberships[p->first_membership[i]];
        struct strbuf same = STRBUF_INIT;
        plan_format_axes(&same, first->axes);
        for (int m = p->next_membership[p->first_membership[i]]; st == ST_OK && m >= 0;
             m = p->next_membership[m]) {
            if (strcmp(p->space.memberships[m].axes, first->axes) != 0)
                st = same.failed ? err_set(e, ST_NOMEM, "out of memory")
                                 : named_row(p, m, same.len ? same.text : "the base", t, e);
        }
        strbuf_release(&same);
    }
    return st;
}

/* budget */

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

static const struct table_column budget_columns[] = {
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
static enum status budget_row(const struct plan *p, double *trial_s, int *trial, struct table *t,
                              struct err *e)
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

static enum status budget_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    double *trial_s = mem_alloc((size_t)p->space.trial_count + 1, sizeof *trial_s);
    int *trial = mem_alloc((size_t)p->space.trial_count + 1, sizeof *trial);
    enum status st;
    if (trial_s && trial)
        st = budget_row(p, trial_s, trial, t, e);
    else
        st = err_set(e, ST_NOMEM, "out of memory");
    mem_free(trial_s);
    mem_free(trial);
    return st;
}

static void budget_note(const void *context, FILE *out)
{
    (void)context;
    fprintf(out,
            "\nNote: predictions were within %d %% of the times of the 13 networks they were checked with "
            "(3x32x32, docs/performance.md); others, and a busy machine, may be further off. run starts the "
            "longest trials first; to train only what fits, leave the other trials out of the spec, or give "
            "train_s a limit in constraints.\n",
            PREDICTION_ERROR_PERCENT);
}

const struct section plan_space_sections[PLAN_SPACE_SECTIONS] = {
    {.name = "removed",
     SECTION_COLUMNS(removed_columns),
     .may_be_empty = true,
     .rows = removed_rows,
     .note = removed_note},
    {.name = "skipped", SECTION_COLUMNS(skipped_columns), .may_be_empty = true, .rows = skipped_rows},
    {.name = "aliases", SECTION_COLUMNS(alias_columns), .may_be_empty = true, .rows = alias_rows},
    {.name = "budget",
     SECTION_COLUMNS(budget_columns),
     .record = true,
     .rows = budget_rows,
     .note = budget_note},
};
