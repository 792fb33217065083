#include "report/query_rungs.h"

#include <string.h>

#include "sweep/spec.h"
#include "sweep/store_scratch.h"

/* NULL: the search of this spec compares accuracies alone, or there is none. */
static const char *cost_of_spec(const char *text, const char *path)
{
    struct spec spec = {0};
    struct err unused = ERR_INIT;
    const char *name = NULL;
    if (spec_parse(text, strlen(text), path, &spec, &unused) == ST_OK && spec.search.on &&
        spec.search.mode == SEARCH_PARETO)
        name = search_cost_name(spec.search.cost);
    spec_release(&spec);
    return name;
}

enum status query_rung_costs(struct store *s, const struct named_query *query, const char *where,
                             const char *cost, struct err *e)
{
    static const char *const columns[] = {"sweep_id", "cost"};
    struct store_scratch *costs = NULL;
    struct store_query *q = NULL;
    (void)query;
    (void)where;
    (void)cost;
    enum status st = store_scratch_open(s, "rung_cost", columns, 2, &costs, e);
    if (st == ST_OK)
        st = store_query_open(s, "SELECT id, spec_text, spec_path FROM sweep ORDER BY id", &q, e);
    for (bool row = true; st == ST_OK;) {
        st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            break;
        const struct cell text = store_query_cell(q, 1), path = store_query_cell(q, 2);
        const char *name =
            text.type == CELL_TEXT && path.type == CELL_TEXT ? cost_of_spec(text.text, path.text) : NULL;
        const struct cell cells[] = {store_query_cell(q, 0), {.type = CELL_TEXT, .text = name}};
        if (name)
            st = store_scratch_row(costs, cells, e);
    }
    store_query_close(q);
    store_scratch_close(costs);
    return st;
}
