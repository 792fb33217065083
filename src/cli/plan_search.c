/* What a search would train, beside training everything in full. */
#include <math.h>

#include "base/mem.h"
#include "cli/plan_internal.h"
#include "sweep/search.h"

static const struct table_column columns[] = {
    {.name = "rung"},
    {.name = "epochs", .title = "epochs each"},
    {.name = "variants"},
    {.name = "trials"},
    {.name = "train_epochs", .title = "epochs in all"},
    {.name = "predicted_core_s", .flags = TABLE_NOT_TEXT},
    {.name = "core-hours",
     .title = "predicted core-hours",
     .decimals = 3,
     .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "predicted_end_s", .title = "predicted end, s after the start"},
};

/* Sums over what takes part in the search. */
struct full {
    int trials;
    double core_s;   /* predicted; 0 = not known */
    double *trial_s; /* of each, as long as the first rung takes; mem_free */
};

static enum status sum_full(const struct plan *p, double share, struct full *sum, struct err *e)
{
    *sum = (struct full){.trial_s = mem_alloc((size_t)p->space.named_count + 1, sizeof(double))};
    if (!sum->trial_s)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < p->space.named_count; i++) {
        if (p->space.trials[i].skip_reason)
            continue;
        const double s = plan_predicted_s(p, i);
        sum->trial_s[sum->trials++] = s * share;
        sum->core_s += s * p->packing.threads;
    }
    return ST_OK;
}

enum status plan_rungs(const struct plan *p, struct plan_rung out[PLAN_RUNGS_MAX], int *count, struct err *e)
{
    const struct search_options *o = &p->spec.search;
    const int epochs = p->spec.base.recipe.epochs, all = p->space.contender_count,
              rungs = search_rungs(o, epochs);
    struct full full;
    const enum status st = sum_full(p, (double)search_epochs(o, epochs, 1) / epochs, &full, e);
    int variants = all;
    double end_s = 0;
    for (int i = 0; st == ST_OK && i < rungs; i++) {
        const double share = all > 0 ? (double)variants / all : 0;
        struct plan_rung *r = &out[i];
        *r = (struct plan_rung){.epochs = search_epochs(o, epochs, i + 1), .variants = variants};
        r->trials = round(full.trials * share);
        r->core_s = full.core_s * share * r->epochs / epochs;
        const double rounds = ceil(r->trials / p->packing.workers),
                     each = r->trials > 0 ? r->core_s / p->packing.threads / r->trials : 0;
        end_s =
            i == 0 ? forecast_wall_s(full.trial_s, full.trials, p->packing.workers) : end_s + rounds * each;
        r->end_s = end_s;
        variants = search_places(o, variants);
    }
    *count = rungs;
    mem_free(full.trial_s);
    return st;
}

static enum status rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    struct plan_rung rungs[PLAN_RUNGS_MAX];
    int count = 0;
    enum status st = plan_rungs(p, rungs, &count, e);
    for (int i = 0; i < count && st == ST_OK; i++) {
        const struct plan_rung *r = &rungs[i];
        const struct cell cells[] = {cell_int(i + 1),
                                     cell_int(r->epochs),
                                     cell_int(r->variants),
                                     cell_int((int64_t)r->trials),
                                     cell_int((int64_t)r->trials * r->epochs),
                                     plan_known(r->core_s),
                                     plan_known(r->core_s / 3600),
                                     plan_known(r->end_s)};
        st = table_row(t, cells, e);
    }
    return st;
}

static void note(const void *context, FILE *out)
{
    const struct plan *p = context;
    struct plan_rung rungs[PLAN_RUNGS_MAX] = {{0}};
    int count = 0;
    double epochs = 0, core_s = 0;
    const int each = p->spec.base.recipe.epochs;
    if (plan_rungs(p, rungs, &count, NULL) != ST_OK)
        return;
    for (int i = 0; i < count; i++) {
        epochs += rungs[i].trials * rungs[i].epochs;
        core_s += rungs[i].core_s;
    }
    const double all = rungs[0].trials * each, full_s = rungs[0].core_s * each / rungs[0].epochs;
    fprintf(out, "\n%.0f epochs instead of %.0f (%.0f %%)", epochs, all, all > 0 ? 100 * epochs / all : 0);
    if (core_s > 0)
        fprintf(out, ", about %.3g instead of %.3g core-hours", core_s / 3600, full_s / 3600);
    fputs(p->spec.search.mode == SEARCH_PARETO
              ? "; pareto mode: at least that, since every variant that no\nother of equal or smaller cost "
                "equals goes on\n"
              : "\n",
          out);
}

const struct section plan_search_section = {
    .name = "rungs",
    .heading = "Rungs of the search (the lists and totals above: everything trained in full)",
    SECTION_COLUMNS(columns),
    .rows = rows,
    .note = note,
};
