/* firesweep query: rows of the results database. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/output.h"
#include "cli/pager.h"
#include "report/answers.h"
#include "report/queries.h"
#include "sweep/store_scratch.h"

enum {
    OPTION_SQL = OPTION_OWN,
    OPTION_LIST,
    OPTION_WHERE,
    OPTION_SORT,
    OPTION_LIMIT,
    OPTION_COLUMNS,
    OPTION_BLOCK,
    OPTION_X,
    OPTION_Y
};

static const struct poptOption options[] = {
    {"sql", '\0', POPT_ARG_STRING, NULL, OPTION_SQL, "Run this statement, which may only read", "S"},
    {"list", '\0', POPT_ARG_NONE, NULL, OPTION_LIST, "List the named queries", NULL},
    {"where", '\0', POPT_ARG_STRING, NULL, OPTION_WHERE,
     "Only rows that meet this, such as \"SR < 0.5 and state = 'done'\"", "CONDITION"},
    {"sort", '\0', POPT_ARG_STRING, NULL, OPTION_SORT, "Order of the rows, several columns with commas",
     "COLUMN[:desc]"},
    {"limit", '\0', POPT_ARG_STRING, NULL, OPTION_LIMIT, "At most so many rows; best: of each sweep", "N"},
    {"columns", '\0', POPT_ARG_STRING, NULL, OPTION_COLUMNS, "Columns to show, or all", "A,B,..."},
    {"block", '\0', POPT_ARG_STRING, NULL, OPTION_BLOCK, "effects, plateau, ranks: only of this block", "ID"},
    {"x", '\0', POPT_ARG_STRING, NULL, OPTION_X,
     "pareto: what is to be small, such as latency_ms, macs or train_s (default: model_mib)", "COST"},
    {"y", '\0', POPT_ARG_STRING, NULL, OPTION_Y,
     "effects, plateau, ranks: on this column (default: test_top1)", "COLUMN"},
    OUTPUT_FORMAT_OPTION,
    POPT_TABLEEND};

/* What is computed rather than selected. */
typedef enum status block_answer(struct store *s, const char *block, const char *y, struct table *t,
                                 struct err *e);
struct computed {
    const char *name, *help;
    const struct table_column *(*columns)(int *count);
    block_answer *rows; /* of blocks, takes --block and --y; NULL: compare, which takes A and B */
    const char *nothing;
    struct table_note note;
};
static const struct computed computed[] = {
    {.name = "compare",
     .help = "two variants, A and B, over the seeds they share: differences with 95 % intervals",
     .columns = compare_columns},
    {.name = "effects",
     .help = "what each axis of a block does to the accuracy, and its share of the variance",
     .columns = effects_columns,
     .rows = effects_rows,
     .nothing = "no block has finished trials at two values of an axis",
     .note = {.text =
                  "mean: of the trials at a level, in the unit of quantity (pct: percent). effect: of the "
                  "level with all other axes held equal, around 0, with its 95 % interval. axis_p: "
                  "probability of such an F if the axis did nothing."}},
    {.name = "plateau",
     .help = "knee and plateau of each curve, with bootstrap intervals over seeds",
     .columns = plateau_columns,
     .rows = plateau_rows,
     .nothing = "no block has one axis of three numbers or more, and a seed that all its points share",
     .note = {.text = "plateau: from the first point within 0.5 percentage points of the best mean. The best "
                      "of several means is partly luck, and no verdict allows for how many are compared: one "
                      "in twenty differences is shown where there is none."}},
    {.name = "ranks",
     .help = "does an axis (epochs, lr, ...) change the order of the others' points? Spearman's correlation",
     .columns = ranks_columns,
     .rows = ranks_rows,
     .nothing = "no block has finished points in common at two values of one of several axes"},
};
enum { COMPUTED = sizeof computed / sizeof *computed, COMPUTED_COLUMNS = 16 };

/* NULL: NAME is not one of them. */
static const struct computed *find_computed(const struct args *a)
{
    for (int i = 0; i < COMPUTED; i++)
        if (a->positional[1] && strcmp(a->positional[1], computed[i].name) == 0)
            return &computed[i];
    return NULL;
}

static const struct table_column list_columns[] = {{.name = "name"}, {.name = "help", .title = "rows"}};

static enum status list_rows(const void *context, struct table *t, struct err *e)
{
    enum status st = ST_OK;
    for (const struct named_query *q = context; q->name && st == ST_OK; q++) {
        const struct cell cells[] = {cell_text(q->name), cell_text(q->help)};
        st = table_row(t, cells, e);
    }
    for (int i = 0; i < COMPUTED && st == ST_OK; i++) {
        const struct cell cells[] = {cell_text(computed[i].name), cell_text(computed[i].help)};
        st = table_row(t, cells, e);
    }
    return st;
}

static enum status list_queries(const struct output *o, struct err *e)
{
    static const struct section list = {.name = "queries", SECTION_COLUMNS(list_columns), .rows = list_rows};
    return output_single(o, &list, named_queries(), e);
}

static enum status keep_row(void *context, const struct cell *cells, struct err *e)
{
    return store_scratch_row(context, cells, e);
}

/* Computes the rows into a table of their own, temp.answer. `where`: of compare. */
static enum status compute(struct store *store, const struct args *a, const struct computed *c,
                           const char *where, struct err *e)
{
    int count;
    const struct table_column *columns = c->columns(&count);
    const char *names[COMPUTED_COLUMNS];
    struct store_scratch *kept = NULL;
    struct table t;
    for (int i = 0; i < count; i++)
        names[i] = columns[i].name;
    enum status st = store_scratch_open(store, "answer", names, count, &kept, e);
    if (st != ST_OK)
        return st;
    st = table_init(&t, stdout, TABLE_CSV, columns, count, e);
    t.sink = keep_row;
    t.sink_context = kept;
    if (st == ST_OK)
        st = c->rows ? c->rows(store, a->value[OPTION_BLOCK], a->value[OPTION_Y], &t, e)
                     : compare_rows(store, a->positional[2], a->positional[3], where, &t, e);
    table_release(&t);
    store_scratch_close(kept);
    return st;
}

/* Flags of the columns of computed answers: equal names mean the same. */
static unsigned computed_flags(const char *column)
{
    for (int i = 0; i < COMPUTED; i++) {
        int count;
        const struct table_column *columns = computed[i].columns(&count);
        for (int k = 0; k < count; k++)
            if (strcmp(columns[k].name, column) == 0 && columns[k].flags != 0)
                return columns[k].flags;
    }
    return 0;
}

/* The same of columns that were asked for: they are shown. */
static unsigned computed_chosen_flags(const char *column)
{
    return computed_flags(column) & ~(unsigned)TABLE_NOT_TEXT;
}

/* What is wrong in a filter is told before a long computation. */
static enum status check_filter(struct store *store, const struct computed *c,
                                const struct store_filter *filter, struct err *e)
{
    int count;
    const struct table_column *columns = c->columns(&count);
    struct store_query *q = NULL;
    struct strbuf sql = STRBUF_INIT;
    for (int i = 0; i < count; i++)
        strbuf_printf(&sql, "%s NULL AS %s", i ? "," : "SELECT", columns[i].name);
    const enum status st = sql.failed ? err_set(e, ST_NOMEM, "out of memory")
                                      : store_query_open_filtered(store, sql.text, filter, &q, e);
    store_query_close(q);
    strbuf_release(&sql);
    return st;
}

/* The rows of a computed answer. compare's --where is one of what is compared, where it can be. */
static enum status open_computed(struct store *store, const struct args *a, const struct computed *c,
                                 struct store_filter *filter, struct store_query **q, struct err *e)
{
    struct err of_sides = ERR_INIT;
    const bool has_sides = !c->rows && filter->where;
    const bool narrows = has_sides && compare_check(store, filter->where, &of_sides) == ST_OK;
    const char *where = narrows ? filter->where : NULL;
    filter->where = narrows ? NULL : filter->where;
    enum status st = check_filter(store, c, filter, e);
    if (st != ST_OK && has_sides && !narrows) /* it says more about what can be named */
        *e = of_sides;
    if (st == ST_OK)
        st = compute(store, a, c, where, e);
    return st == ST_OK
               ? store_query_open_filtered(store, "SELECT * FROM temp.answer ORDER BY rowid", filter, q, e)
               : st;
}

/* Why there are no rows of a computed answer, in `text`. Pruned trials have accuracies that do not count. */
static enum status say_nothing(struct store *store, const struct computed *c, char *text, size_t n,
                               struct err *e)
{
    struct store_query *q = NULL;
    bool pruned = false;
    enum status st = store_query_open(store, "SELECT 1 FROM trial WHERE state = 'pruned' LIMIT 1", &q, e);
    if (st == ST_OK)
        st = store_query_next(q, &pruned, e);
    store_query_close(q);
    snprintf(text, n, "%s%s", c->nothing, pruned ? "; pruned trials do not count" : "");
    return st;
}

static enum status print_query(struct store *store, const struct args *a, const struct output *o, int limit,
                               struct err *e)
{
    struct store_filter filter = {.where = a->value[OPTION_WHERE],
                                  .sort = a->value[OPTION_SORT],
                                  .columns = a->value[OPTION_COLUMNS],
                                  .limit = limit};
    const char *sql = a->value[OPTION_SQL], *name = a->positional[1] ? a->positional[1] : "trials";
    const struct computed *c = find_computed(a);
    const struct named_query *named = NULL;
    struct store_query *query = NULL;
    struct output_rows rows = {.flags = filter.columns ? named_query_chosen_flags : named_query_flags};
    char nothing[160];
    enum status st = c || sql ? ST_OK : named_query_find(name, &named, e);
    if (st == ST_OK && c) {
        rows = (struct output_rows){filter.columns ? computed_chosen_flags : computed_flags, NULL, c->note};
        if (c->nothing) {
            st = say_nothing(store, c, nothing, sizeof nothing, e);
            rows.nothing = nothing;
        }
        if (st == ST_OK)
            st = open_computed(store, a, c, &filter, &query, e);
    } else if (st == ST_OK && sql) {
        rows.flags = NULL;
        st = store_query_open(store, sql, &query, e);
    } else if (st == ST_OK) {
        rows.nothing = named->nothing;
        rows.note = named->note;
        if (named->measured)
            rows.flags = named_query_measured_flags;
        st = named_query_open_filtered(store, name, &filter, a->value[OPTION_X], &query, e);
    }
    if (limit == 0)
        rows.nothing = "--limit 0";
    else if (filter.where)
        rows.nothing = "none meets --where";
    if (st == ST_OK)
        st = output_query(o, query, &rows, e);
    store_query_close(query);
    return st;
}

/* What does not go together. */
static enum status check(const struct args *a, struct err *e)
{
    const bool filters =
        a->value[OPTION_WHERE] || a->value[OPTION_SORT] || a->value[OPTION_LIMIT] || a->value[OPTION_COLUMNS];
    const struct computed *c = find_computed(a);
    const bool takes_two = c && !c->rows;
    if (!a->positional[0])
        return err_set(e, ST_USAGE, "missing argument, expected DB, see firesweep query --help");
    if (a->positional[1] && a->value[OPTION_SQL])
        return err_set(e, ST_USAGE, "a NAME and --sql are two queries, allowed is one of them");
    if (a->value[OPTION_SQL] && filters)
        return err_set(e, ST_USAGE,
                       "--where, --sort, --limit and --columns narrow named queries; SQL says it itself");
    if (takes_two && a->positional_count != 4)
        return err_set(e, ST_USAGE,
                       "compare needs two variants, by number or by condition: compare 3 5, compare 'SR = "
                       "0.75' 'SR = 1'");
    if (!takes_two && a->positional_count > 2)
        return err_set(e, ST_USAGE, "unexpected argument \"%.40s\"", a->positional[2]);
    if (a->value[OPTION_X] && (c || a->value[OPTION_SQL]))
        return err_set(e, ST_USAGE, "--x belongs to the query pareto");
    if (!(c && c->rows) && (a->value[OPTION_BLOCK] || a->value[OPTION_Y]))
        return err_set(
            e, ST_USAGE,
            "--block and --y belong to the queries effects, plateau and ranks; rows of a block are "
            "chosen by --where \"block = 'fig3a'\"");
    return ST_OK;
}

static enum status query_database(const struct args *a, const struct output *o, int limit, struct err *e)
{
    struct store *store = NULL;
    struct pager pager;
    enum status st = database_open(a->positional[0], &store, e);
    if (st != ST_OK)
        return st;
    pager_start(&pager);
    st = print_query(store, a, o, limit, e);
    pager_end(&pager);
    store_close(store);
    return st;
}

static enum status query_run(const struct args *a, struct err *e)
{
    struct output o;
    int limit = -1;
    enum status st = output_init(&o, a, e);
    if (st == ST_OK && a->value[OPTION_LIST])
        return list_queries(&o, e);
    if (st == ST_OK)
        st = check(a, e);
    if (st == ST_OK)
        st = args_int(a, OPTION_LIMIT, "--limit", 0, INT_MAX, &limit, e);
    if (st == ST_OK)
        st = query_database(a, &o, limit, e);
    return st == ST_OK ? ST_OK : err_prefix(e, "query");
}

const struct command command_query = {
    .name = "query",
    .summary = "Rows of a results database: a named query, a comparison, or SQL",
    .positionals = "DB [NAME [A B]]",
    .positional_min = 0,
    .positional_max = 4,
    .description =
        "Prints the rows of a named query (`firesweep query --list` tells them; without NAME: "
        "trials) or of an SQL statement. --where takes columns of the query (--columns all "
        "shows them), numbers (0.5, 5MiB, 90%, 1h30m), texts, null, < <= > >= = != (in chains too: 0.1 < SR "
        "< 0.5), in [a, b], and, or, not, + - * / and parentheses, as constraints of a spec do "
        "(docs/spec.md); "
        "only train_s is the measured time here and the predicted one there, epochs of trials are those done "
        "(epochs_planned: the recipe's), and accuracies are shares "
        "(20% or 0.2). compare "
        "takes two variants, each by number (3, or 3/2 for recipe 2 of variant 3) or by a condition that one "
        "of "
        "them meets (settings, costs, sweep, block), and "
        "gives differences over the seeds both have; its --where may say what both have in common. On a "
        "terminal, $PAGER shows the rows. The database is "
        "opened read-only, so this is safe "
        "while a sweep runs. Tables and views are described in docs/schema.md.",
    .examples =
        "  firesweep query results/quickstart.db\n"
        "  firesweep query results/quickstart.db pareto --format csv\n"
        "  firesweep query results/quickstart.db trials --where 'SR < 0.5' --sort test_top1:desc --limit 5\n"
        "  firesweep query results/quickstart.db compare 'SR = 0.5' 'SR = 1'\n"
        "  firesweep query results/quickstart.db pareto --x macs\n"
        "  firesweep query results/quickstart.db --sql 'SELECT sum(train_s) FROM trial'\n",
    .options = options,
    .run = query_run,
};
