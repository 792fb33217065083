/* firesweep query: rows of the results database. */
#include "cli/commands.h"
#include "cli/output.h"
#include "report/queries.h"

enum { OPTION_SQL = OPTION_OWN, OPTION_LIST };

static const struct poptOption options[] = {
    {"sql", '\0', POPT_ARG_STRING, NULL, OPTION_SQL, "Run this statement, which may only read", "S"},
    {"list", '\0', POPT_ARG_NONE, NULL, OPTION_LIST, "List the named queries", NULL},
    OUTPUT_FORMAT_OPTION,
    POPT_TABLEEND};

static const struct table_column list_columns[] = {{.name = "name"}, {.name = "help", .title = "rows"}};

static enum status list_rows(const void *context, struct table *t, struct err *e)
{
    enum status st = ST_OK;
    for (const struct named_query *q = context; q->name && st == ST_OK; q++) {
        const struct cell cells[] = {cell_text(q->name), cell_text(q->help)};
        st = table_row(t, cells, e);
    }
    return st;
}

static enum status list_queries(const struct output *o, struct err *e)
{
    static const struct section list = {.name = "queries", SECTION_COLUMNS(list_columns), .rows = list_rows};
    return output_single(o, &list, named_queries(), e);
}

static enum status query_database(const struct args *a, const struct output *o, struct err *e)
{
    const char *name = a->positional[1] ? a->positional[1] : "trials", *sql = a->value[OPTION_SQL];
    struct store *store = NULL;
    struct store_query *query = NULL;
    enum status st = store_open_readonly(a->positional[0], &store, e);
    if (st == ST_OK)
        st = sql ? store_query_open(store, sql, &query, e) : named_query_open(store, name, &query, e);
    if (st == ST_OK)
        st = output_query(o, query, e);
    store_query_close(query);
    store_close(store);
    return st;
}

static enum status query_run(const struct args *a, struct err *e)
{
    struct output o;
    enum status st = output_init(&o, a, e);
    if (st == ST_OK && a->value[OPTION_LIST])
        return list_queries(&o, e);
    if (st == ST_OK && !a->positional[0])
        st = err_set(e, ST_USAGE, "missing argument, expected DB, see firesweep query --help");
    if (st == ST_OK && a->positional[1] && a->value[OPTION_SQL])
        st = err_set(e, ST_USAGE, "a NAME and --sql are two queries, allowed is one of them");
    if (st == ST_OK)
        st = query_database(a, &o, e);
    return st == ST_OK ? ST_OK : err_prefix(e, "query");
}

const struct command command_query = {
    .name = "query",
    .summary = "Rows of a results database: a named query, or SQL",
    .positionals = "DB [NAME]",
    .positional_min = 0,
    .positional_max = 2,
    .description = "Prints the rows of a named query (`firesweep query --list` tells them; without NAME: "
                   "trials) or of an SQL statement. The database is opened read-only, so this is safe "
                   "while a sweep runs. Tables and views are described in docs/schema.md.",
    .examples = "  firesweep query results/quickstart.db\n"
                "  firesweep query results/quickstart.db pareto --format csv\n"
                "  firesweep query results/quickstart.db --sql 'SELECT sum(train_s) FROM trial'\n",
    .options = options,
    .run = query_run,
};
