/* What a search would train, beside training everything in full. */
#include <math.h>

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
};

/* Sums over what takes part in the search. */
struct full {
    int trials;
    double core_s; /* predicted; 0 = not known */
};

static struct full sum_full(const struct plan *p)
{
    struct full sum = {0, 0};
    for (int i = 0; i < p->space.named_count; i++) {
        if (p->space.trials[i].skip_reason)
            continue;
        sum.trials++;
        sum.core_s += plan_predicted_s(p, i) * p->packing.threads;
    }
    return sum;
}

struct rung {
    int epochs, variants;
    double trials, core_s;
};

/* Which variants go on is not known: they are counted, and cost as the average one. */
static struct rung rung_of(const struct plan *p, const struct full *full, int number)
{
    const struct search_options *o = &p->spec.search;
    const int epochs = p->spec.base.recipe.epochs;
    struct rung r = {.epochs = search_epochs(o, epochs, number), .variants = p->space.contender_count};
    for (int i = 1; i < number; i++)
        r.variants = search_places(o, r.variants);
    const double share = p->space.contender_count > 0 ? (double)r.variants / p->space.contender_count : 0;
    r.trials = round(full->trials * share);
    r.core_s = full->core_s * share * r.epochs / epochs;
    return r;
}

static struct cell known(double value)
{
    return value > 0 ? cell_real(value) : cell_null();
}

static enum status rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    const struct full full = sum_full(p);
    enum status st = ST_OK;
    for (int i = 1; i <= search_rungs(&p->spec.search, p->spec.base.recipe.epochs) && st == ST_OK; i++) {
        const struct rung r = rung_of(p, &full, i);
        const struct cell cells[] = {cell_int(i),
                                     cell_int(r.epochs),
                                     cell_int(r.variants),
                                     cell_int((int64_t)r.trials),
                                     cell_int((int64_t)r.trials * r.epochs),
                                     known(r.core_s),
                                     known(r.core_s / 3600)};
        st = table_row(t, cells, e);
    }
    return st;
}

static void note(const void *context, FILE *out)
{
    const struct plan *p = context;
    const struct full full = sum_full(p);
    double epochs = 0, core_s = 0;
    for (int i = 1; i <= search_rungs(&p->spec.search, p->spec.base.recipe.epochs); i++) {
        const struct rung r = rung_of(p, &full, i);
        epochs += r.trials * r.epochs;
        core_s += r.core_s;
    }
    const double all = (double)full.trials * p->spec.base.recipe.epochs;
    fprintf(out, "\n%.0f epochs instead of %.0f (%.0f %%)", epochs, all, all > 0 ? 100 * epochs / all : 0);
    if (core_s > 0)
        fprintf(out, ", about %.3g instead of %.3g core-hours", core_s / 3600, full.core_s / 3600);
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
