#include "report/queries.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "report/metric.h"
#include "report/settings.h"
#include "report/statistics.h"
#include "report/table.h"
#include "sweep/spec_error.h"
#include "sweep/suggest.h"

/* Chosen (metaparameters, recipe, place) rather than measured or counted; or measured only where it can be.
 */
static unsigned column_flags(const char *column)
{
    if (settings_hold(
            "latency_ms,latency_p95_ms,infer_img_s,infer_mib,val_top1,val_top5,val_loss,val_top1_ci95,"
            "test_top1_ci95,front_pct,cost_value,also",
            column))
        return TABLE_OPTIONAL;
    if (settings_hold(SETTINGS_VARIANT_MINOR "," SETTINGS_RECIPE_MINOR, column))
        return TABLE_VARYING | TABLE_MINOR;
    return settings_hold("sweep,block,recipe,isa,host,cost," SETTINGS_VARIANT_MAIN "," SETTINGS_RECIPE_MAIN,
                         column)
               ? TABLE_VARYING
               : 0;
}

unsigned named_query_chosen_flags(const char *column)
{
    if (strcmp(column, "axes") == 0 || strcmp(column, "same_as_axes") == 0)
        return TABLE_JSON_VALUE;
    return column_flags(column) & TABLE_VARYING ? TABLE_EXACT : 0;
}

unsigned named_query_flags(const char *column)
{
    return named_query_chosen_flags(column) | column_flags(column);
}

unsigned named_query_measured_flags(const char *column)
{
    return column_flags(column) & TABLE_OPTIONAL;
}

static double ci95_factor(double n)
{
    return n >= 2 ? student_t_quantile(0.975, (size_t)n - 1) / sqrt(n) : NAN;
}

/* The query's columns, and the cost that was asked for. */
static const char *shown_columns(const struct named_query *q, const char *cost, struct arena *arena)
{
    return cost && !settings_hold(q->shown, cost) ? arena_printf(arena, "%s,%s", q->shown, cost) : q->shown;
}

static enum status open_known(struct store *s, const struct named_query *q, const struct store_filter *f,
                              const char *cost, struct store_query **out, struct err *e)
{
    struct arena arena;
    arena_init(&arena);
    struct store_filter filter = *f;
    filter.shown = shown_columns(q, cost, &arena);
    filter.others = q->others;
    filter.before = q->before;
    filter.after = q->after;
    if (q->places > 0) { /* a limit is one of each sweep */
        const int64_t places = f->limit >= 0 ? f->limit : q->places;
        filter.limit = -1;
        filter.after = arena_printf(&arena, "%s WHERE y.place <= %" PRId64 " ORDER BY y.sweep, y.rank",
                                    q->after, places);
    }
    enum status st = store_define(s, "ci95_factor", ci95_factor, e);
    if ((q->shown && !filter.shown) || (q->after && !filter.after))
        st = err_set(e, ST_NOMEM, "out of memory");
    if (st == ST_OK && q->prepare)
        st = q->prepare(s, q, f->where, cost, e);
    if (st == ST_OK)
        st = store_query_open_filtered(s, q->sql, &filter, out, e);
    arena_release(&arena);
    return st;
}

static enum status unknown_query(const char *name, struct err *e)
{
    static const char *const computed[] = {"compare", "effects", "plateau", "ranks"}; /* answers.h */
    const char *known[32];
    char quoted[QUOTED_TEXT], guess[SUGGEST_TEXT];
    struct strbuf list = STRBUF_INIT;
    int count = 0;
    for (const struct named_query *q = named_queries(); q->name && count < 28; q++)
        known[count++] = q->name;
    for (size_t i = 0; i < sizeof computed / sizeof *computed; i++)
        known[count++] = computed[i];
    for (int i = 0; i < count; i++)
        strbuf_printf(&list, "%s%s", i ? ", " : "", known[i]);
    const enum status st =
        list.failed ? err_set(e, ST_NOMEM, "out of memory")
                    : err_set(e, ST_USAGE, "unknown query %s%s; allowed: %s", text_quote(name, quoted),
                              suggest_text(name, known, count, guess), list.text);
    strbuf_release(&list);
    return st;
}

enum status named_query_find(const char *name, const struct named_query **out, struct err *e)
{
    for (const struct named_query *q = named_queries(); q->name; q++) {
        if (strcmp(q->name, name) == 0) {
            *out = q;
            return ST_OK;
        }
    }
    return unknown_query(name, e);
}

enum status named_query_open_filtered(struct store *s, const char *name, const struct store_filter *f,
                                      const char *cost, struct store_query **out, struct err *e)
{
    const struct named_query *q = NULL;
    const struct metric *m = NULL;
    enum status st = named_query_find(name, &q, e);
    if (st != ST_OK || !q)
        return st;
    if (cost && !q->takes_cost)
        st = err_set(e, ST_USAGE, "--x belongs to the query pareto");
    else if (cost)
        st = metric_find_cost("--x", cost, &m, e);
    return st == ST_OK ? open_known(s, q, f, cost, out, e) : st;
}

enum status named_query_open(struct store *s, const char *name, struct store_query **out, struct err *e)
{
    return named_query_open_filtered(s, name, &(struct store_filter){.limit = -1}, NULL, out, e);
}
