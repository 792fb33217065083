/* What the results say: the best, the front, where curves bend, what axes do; and what did not end well. */
#include "report/html_private.h"

#include "report/answers.h"
#include "report/rungs.h"
#include "report/settings.h"

/* What tells results apart: the last columns of a query; only what differs is shown. */
#define SETTINGS SETTINGS_OF_VARIANT("v") ", " SETTINGS_OF_RECIPE("r")

#define NO_BREAK_HYPHEN "\xE2\x80\x91"
static const struct table_column best_columns[] = {
    {.name = "sweep", .flags = TABLE_VARYING},
    {.name = "rank"},
    {.name = "variant", .flags = TABLE_VARIANT},
    {.name = "val_top1", .title = "validation top" NO_BREAK_HYPHEN "1 %", .decimals = 2},
    {.name = "test_top1", .title = "test top" NO_BREAK_HYPHEN "1 %", .decimals = 2},
    {.name = "model_mib", .title = "MiB"},
    {.name = "params"},
    {.name = "n", .title = "seeds"},
    {.name = "behind", .title = "behind, points", .decimals = 2},
};
#define BEST_OF(view)                                                                                        \
    "SELECT l.sweep, l.rank, l.variant_id, 100 * l.val_top1, 100 * l.test_top1, l.model_mib, l.params, l.n," \
    " 100 * (max(coalesce(l.val_top1, l.test_top1)) OVER (PARTITION BY l.sweep) - coalesce(l.val_top1,"      \
    " l.test_top1)), " SETTINGS " FROM " view " l JOIN variant v ON v.id = l.variant_id"                     \
    " JOIN recipe r ON r.id = l.recipe_id"
static const char best_sql[] =
    BEST_OF("leaderboard") " WHERE l.rank <= 10 ORDER BY l.sweep, l.rank LIMIT 100";
static const char front_sql[] = BEST_OF("pareto") " ORDER BY l.sweep, l.model_mib LIMIT 200";

/* An answer about blocks, block by block: where one cannot be given (an axis with thousands of levels has no
 * effects to list), the page says why, and the others are there. */
struct answer {
    struct html_page *page;
    const char *what;
    enum status (*rows)(struct store *s, const char *block, const char *y, struct table *t, struct err *e);
};

static const char blocks_sql[] = "SELECT " STORE_BLOCK_NAME(
    "s.name", "b.name") " FROM block b"
                        " JOIN sweep s ON s.id = b.sweep_id ORDER BY s.id, b.position";

static enum status answer_rows(const void *context, struct table *t, struct err *e)
{
    const struct answer *a = context;
    struct store_query *q = NULL;
    bool row = false;
    enum status status = html_query_row(a->page, blocks_sql, &q, &row, e);
    while (status == ST_OK && row) {
        struct err why = ERR_INIT;
        const char *block = store_query_cell(q, 0).text;
        status = a->rows(a->page->store, block, NULL, t, &why);
        if (status == ST_NOMEM)
            err_set(e, status, "%s", why.text);
        else if (status != ST_OK)
            html_left_out(a->page, "%s of block %.100s: left out, %s", a->what, block, why.text);
        if (status != ST_NOMEM)
            status = store_query_next(q, &row, e);
    }
    store_query_close(q);
    return status;
}

enum status html_findings(struct html_page *p, struct err *e)
{
    const struct answer knees = {p, "Knee and plateau", plateau_rows}, effects = {p, "Effects", effects_rows};
    struct html_table tables[] = {
        {.heading = "Best variants",
         .note =
             "Means over finished seeds, ordered by validation accuracy, or test accuracy in a sweep without "
             "validation images. A network that was selected by its test accuracy looks better than it is.",
         HTML_COLUMNS(best_columns),
         .sql = best_sql},
        {.heading = "Pareto front",
         .note = "Variants that no smaller one of their sweep equals in validation accuracy (test accuracy "
                 "in a sweep "
                 "without validation images), by the means: with few seeds, neighbours can change places.",
         HTML_COLUMNS(best_columns),
         .sql = front_sql},
        {.heading = "Knee and plateau",
         .note = "For each block with one axis of numbers: where its curve of test top-1 bends, and from "
                 "where on it "
                 "stays within half a percentage point of its best. 95 % intervals, bootstrap over n seeds.",
         .rows = answer_rows,
         .context = &knees},
        {.heading = "Effects of the axes",
         .note = "What each level of an axis does to test top-1 with the other axes held equal (effect, with "
                 "its 95 % "
                 "interval), and of the axis the share of the variance that it explains and the probability "
                 "of such "
                 "an F by chance.",
         .rows = answer_rows,
         .context = &effects,
         .folded = true},
    };
    tables[2].columns = plateau_columns(&tables[2].count);
    tables[3].columns = effects_columns(&tables[3].count);
    size_t rows = 0, all = 0;
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && i < sizeof tables / sizeof *tables; i++) {
        status = html_table_write(p, &tables[i], &rows, e);
        all += rows;
    }
    if (status == ST_OK && all == 0)
        fputs("<p>No trial has finished yet.</p>\n", p->out);
    return status;
}

static const struct table_column failure_columns[] = {
    {.name = "trial"},   {.name = "variant", .flags = TABLE_VARIANT},
    {.name = "state"},   {.name = "rung", .flags = TABLE_VARYING},
    {.name = "seed"},    {.name = "attempts"},
    {.name = "epochs"},  {.name = "step", .title = "diverged at step"},
    {.name = "message"},
};
static const char failures_sql[] = "SELECT t.id, t.variant_id, replace(t.state, '_', ' '), " RUNG_OF(
    "t.id", "rung") ", t.seed,"
                    " (SELECT count(*) FROM attempt a WHERE a.trial_id = t.id), t.epochs_done, "
                    "t.diverged_step, t.message, " SETTINGS
                    " FROM trial t JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id"
                    " WHERE t.state IN ('failed', 'diverged', 'timed_out') AND NOT " OUTSIDE_SPEC(
                        "t.id") " ORDER BY t.state = 'diverged', t.id LIMIT 100";

enum status html_failures(struct html_page *p, struct err *e)
{
    const struct html_table table = {.heading = "Trials without a result",
                                     .note = "Failed, timed out, diverged; the first hundred. A divergence "
                                             "is a result: this recipe is too much for "
                                             "this variant. The table of all trials has the rest.",
                                     HTML_COLUMNS(failure_columns),
                                     .sql = failures_sql,
                                     .fold_over = 5,
                                     .most = 100};
    return html_table_write(p, &table, NULL, e);
}

/* What each sweep was asked, to run it again. */
enum status html_specs(struct html_page *p, struct err *e)
{
    struct store_query *q = NULL;
    bool row = false;
    enum status status =
        html_query_row(p, "SELECT name, spec_path, spec_text FROM sweep ORDER BY id LIMIT 50", &q, &row, e);
    while (status == ST_OK && row) {
        const struct cell text = store_query_cell(q, 2);
        fputs("<details><summary>Spec of ", p->out);
        html_text(p->out, store_query_cell(q, 0).text);
        fputs("</summary>\n<pre tabindex=\"0\" class=\"scroll\">", p->out);
        html_text(p->out, text.type == CELL_TEXT ? text.text : "");
        fputs("</pre>\n<p>Run it again: <code>firesweep run ", p->out);
        html_text(p->out, store_query_cell(q, 1).text);
        fputs("</code></p></details>\n", p->out);
        status = store_query_next(q, &row, e);
    }
    store_query_close(q);
    return status;
}
