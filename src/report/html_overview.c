/* What the database holds: sweeps, states, the best, time, machines, recipes. */
#include "report/html_private.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/rungs.h"
#include "report/settings.h"

enum status html_title(struct html_page *p, struct err *e)
{
    struct store_query *q = NULL;
    bool row = false;
    if (p->options->title) {
        html_text(p->out, p->options->title);
        return ST_OK;
    }
    enum status status =
        html_query_row(p,
                       "SELECT iif(count(*) > 3, count(*) || ' sweeps', group_concat(name, ', '))"
                       " FROM (SELECT name FROM sweep ORDER BY id)",
                       &q, &row, e);
    const char *name = status == ST_OK && row ? store_query_cell(q, 0).text : NULL;
    const char *slash = strrchr(store_path(p->store), '/');
    if (status == ST_OK)
        html_text(p->out, name ? name : slash ? slash + 1 : store_path(p->store));
    store_query_close(q);
    return status;
}

/* A number that the page is opened for. */
static void tile(struct html_page *p, const char *name, const char *value, const char *below)
{
    fputs("<div class=\"tile\"><dt>", p->out);
    html_text(p->out, name);
    fputs("</dt><dd>", p->out);
    html_text(p->out, value);
    if (below && *below) {
        fputs(" <small>", p->out);
        html_text(p->out, below);
        fputs("</small>", p->out);
    }
    fputs("</dd></div>\n", p->out);
}

static void write_origin(struct html_page *p, const char *now)
{
    const char *slash = strrchr(store_path(p->store), '/');
    fputs("<p class=\"origin\">From <code>", p->out);
    html_text(p->out, slash ? slash + 1 : store_path(p->store));
    fputs("</code> as it was on <time>", p->out);
    html_text(p->out, now);
    fprintf(p->out, "</time>, written by firesweep %s.</p>\n", p->options->version);
}

static enum status count_states(struct html_page *p, int64_t counts[TRIAL_STATE_COUNT], struct err *e)
{
    struct store_query *q = NULL;
    bool row = false;
    enum status status = html_query_row(
        p, "SELECT state, count(*) FROM trial t WHERE " IN_BLOCK("t.id") " GROUP BY state", &q, &row, e);
    while (status == ST_OK && row) {
        enum trial_state state;
        if (trial_state_parse(store_query_cell(q, 0).text, &state))
            counts[state] = store_query_cell(q, 1).i;
        status = store_query_next(q, &row, e);
    }
    store_query_close(q);
    return status;
}

/* Trials by state: a bar for the eye, a list for everybody. */
static enum status write_states(struct html_page *p, struct err *e)
{
    int64_t counts[TRIAL_STATE_COUNT] = {0}, all = 0;
    enum status status = count_states(p, counts, e);
    for (int i = 0; status == ST_OK && i < TRIAL_STATE_COUNT; i++)
        all += counts[i];
    if (status != ST_OK || all == 0)
        return status;
    fputs("<div class=\"states\"><div class=\"bar\" aria-hidden=\"true\">", p->out);
    for (int i = 0; i < TRIAL_STATE_COUNT; i++)
        if (counts[i] > 0)
            fprintf(p->out, "<i class=\"s-%s\" style=\"flex-grow:%" PRId64 "\"></i>",
                    trial_state_name((enum trial_state)i), counts[i]);
    fputs("</div><ul>", p->out);
    for (int i = 0; i < TRIAL_STATE_COUNT; i++)
        if (counts[i] > 0)
            fprintf(p->out, "<li><i class=\"s-%s\" aria-hidden=\"true\"></i> %" PRId64 " %s</li>",
                    trial_state_name((enum trial_state)i), counts[i],
                    i == TRIAL_TIMED_OUT ? "timed out" : trial_state_name((enum trial_state)i));
    fputs("</ul></div>\n", p->out);
    return ST_OK;
}

/* clang-format off */
static const char numbers_sql[] =
    "WITH marked AS (SELECT *, " IN_BLOCK("t.id") " AS result, " OUTSIDE_SPEC("t.id") " AS outside FROM trial t)"
    " SELECT strftime('%Y-%m-%d %H:%M UTC', 'now'), count(*), count(*) FILTER (WHERE result),"
    " count(*) FILTER (WHERE result AND state = 'done'), count(DISTINCT variant_id) FILTER (WHERE NOT outside),"
    " (SELECT count(*) FROM sweep), total(coalesce(train_s, 0) + coalesce(eval_s, 0)),"
    " (SELECT min(started_utc) FROM attempt), (SELECT max(coalesce(ended_utc, started_utc)) FROM attempt),"
    " count(*) FILTER (WHERE state = 'running'), count(*) FILTER (WHERE NOT result AND NOT outside),"
    " count(*) FILTER (WHERE outside) FROM marked";
/* clang-format on */
enum {
    NUMBER_NOW,
    NUMBER_ALL,
    NUMBER_RESULTS,
    NUMBER_DONE,
    NUMBER_VARIANTS,
    NUMBER_SWEEPS,
    NUMBER_SECONDS,
    NUMBER_FIRST,
    NUMBER_LAST,
    NUMBER_RUNNING,
    NUMBER_SHORTER,
    NUMBER_OUTSIDE
};

static int64_t number(const struct store_query *q, int column)
{
    return store_query_cell(q, column).i;
}

static enum status write_numbers(struct html_page *p, const struct store_query *q)
{
    char value[64], below[160], time[32];
    const int64_t shorter = number(q, NUMBER_SHORTER), outside = number(q, NUMBER_OUTSIDE);
    const struct cell first = store_query_cell(q, NUMBER_FIRST), last = store_query_cell(q, NUMBER_LAST);
    snprintf(value, sizeof value, "%" PRId64, number(q, NUMBER_VARIANTS));
    snprintf(below, sizeof below, "of %" PRId64 " sweep%s", number(q, NUMBER_SWEEPS),
             number(q, NUMBER_SWEEPS) == 1 ? "" : "s");
    tile(p, "Variants", value, below);
    snprintf(value, sizeof value, "%" PRId64, number(q, NUMBER_RESULTS));
    int n = snprintf(below, sizeof below, "%" PRId64 " done", number(q, NUMBER_DONE));
    if (shorter > 0)
        n += snprintf(below + n, sizeof below - (size_t)n, "; and %" PRId64 " of shorter rungs", shorter);
    if (outside > 0)
        snprintf(below + n, sizeof below - (size_t)n, "; and %" PRId64 " outside the spec", outside);
    tile(p, "Trials", value, below);
    snprintf(below, sizeof below, "training and evaluation");
    if (first.type == CELL_TEXT && last.type == CELL_TEXT)
        snprintf(below, sizeof below,
                 strncmp(first.text, last.text, 10) == 0 ? "on %.10s" : "from %.10s to %.10s", first.text,
                 last.text);
    tile(p, "Time of all trials", html_duration(store_query_cell(q, NUMBER_SECONDS).r, time), below);
    return ST_OK;
}

/* The best of all sweeps, and the smallest that comes close; with its sweep where there are several, as their
 * data may differ. */
/* clang-format off */
static const char best_sql[] =
    "WITH l AS (SELECT *, coalesce(val_top1, test_top1) AS score FROM leaderboard),"
    " best AS (SELECT max(score) AS score FROM l)"
    " SELECT 100 * score, 100 * test_top1, variant_id, model_mib, val_top1 IS NOT NULL,"
    "  iif((SELECT count(*) FROM sweep) > 1, sweep, NULL) FROM ("
    "  SELECT * FROM (SELECT * FROM l ORDER BY score DESC, model_mib LIMIT 1) UNION ALL SELECT * FROM"
    "  (SELECT l.* FROM l, best WHERE l.score >= best.score - 0.01 ORDER BY l.model_mib LIMIT 1))";
/* clang-format on */

static enum status write_best_tile(struct html_page *p, const struct store_query *q, bool smallest,
                                   struct err *e)
{
    const double score = store_query_cell(q, 0).r, mib = store_query_cell(q, 3).r;
    const struct cell test = store_query_cell(q, 1), sweep = store_query_cell(q, 5);
    const bool validated = store_query_cell(q, 4).i != 0;
    char value[64];
    struct strbuf below = STRBUF_INIT;
    snprintf(value, sizeof value, smallest ? "%.3g MiB" : "%.2f %%", smallest ? mib : score);
    strbuf_printf(&below, "%s top-1", validated ? "validation" : "test");
    if (smallest)
        strbuf_printf(&below, " %.2f %%", score);
    else if (validated && test.type == CELL_REAL)
        strbuf_printf(&below, ", test %.2f %%", test.r);
    if (!smallest)
        strbuf_printf(&below, ", %.3g MiB", mib);
    if (sweep.type == CELL_TEXT)
        strbuf_printf(&below, ", sweep %s", sweep.text);
    const enum status status = below.failed ? err_set(e, ST_NOMEM, "out of memory") : ST_OK;
    fprintf(p->out, "<a class=\"tiled\" href=\"#variant-%" PRId64 "\">", store_query_cell(q, 2).i);
    tile(p, smallest ? "Smallest within 1 point" : "Best accuracy", value, below.text);
    fputs("</a>\n", p->out);
    strbuf_release(&below);
    return status;
}

static enum status write_best(struct html_page *p, struct err *e)
{
    struct store_query *q = NULL;
    bool row = false;
    enum status status = html_query_row(p, best_sql, &q, &row, e);
    for (int i = 0; status == ST_OK && row && i < 2; i++) {
        status = write_best_tile(p, q, i == 1, e);
        if (status == ST_OK)
            status = store_query_next(q, &row, e);
    }
    store_query_close(q);
    return status;
}

static const struct table_column sweep_columns[] = {
    {.name = "sweep"},  {.name = "spec"}, {.name = "data"},      {.name = "images"},
    {.name = "train"},  {.name = "val"},  {.name = "test"},      {.name = "classes"},
    {.name = "trials"}, {.name = "done"}, {.name = "firesweep"}, {.name = "updated"},
};
static const char sweeps_sql[] =
    "SELECT s.name, s.spec_path, s.data_path, image_c || 'x' || image_h || 'x' || image_w, train_images, "
    "val_images,"
    " test_images, classes, count(DISTINCT t.id), count(DISTINCT iif(t.state = 'done', t.id, NULL)), "
    "tool_version,"
    " substr(replace(s.updated_utc, 'T', ' '), 1, 16) FROM sweep s LEFT JOIN block b ON b.sweep_id = s.id"
    " LEFT JOIN block_trial m ON m.block_id = b.id AND m.in_spec LEFT JOIN trial t ON t.id = m.trial_id"
    " GROUP BY s.id ORDER BY s.id";

static const struct table_column machine_columns[] = {
    {.name = "host"},
    {.name = "kernels"},
    {.name = "threads"},
    {.name = "attempts"},
    {.name = "hours", .title = "hours of attempts", .decimals = 2},
    {.name = "cpu_hours", .title = "CPU hours", .decimals = 2},
    {.name = "peak", .title = "largest worker, MiB", .decimals = 1},
    {.name = "first", .title = "first start, UTC"},
    {.name = "last", .title = "last end, UTC"},
};
static const char machines_sql[] =
    "SELECT host, isa, iif(min(threads) = max(threads), CAST(min(threads) AS TEXT), min(threads) || ' to ' "
    "|| "
    "max(threads)),"
    " count(*), total(wall_s) / 3600, total(cpu_s) / 3600, max(peak_rss_bytes) / 1048576.0,"
    " substr(replace(min(started_utc), 'T', ' '), 1, 16), substr(replace(max(ended_utc), 'T', ' '), 1, 16)"
    " FROM attempt GROUP BY host, isa ORDER BY host, isa LIMIT 50";

static const struct table_column recipe_columns[] = {
    {.name = "recipe"},    {.name = "trials"},       {.name = "epochs"},  {.name = "batch"},
    {.name = "optimizer"}, {.name = "momentum"},     {.name = "lr"},      {.name = "schedule"},
    {.name = "warmup"},    {.name = "weight_decay"}, {.name = "dropout"}, {.name = "smoothing"},
    {.name = "flip"},      {.name = "crop_pad"},     {.name = "clip"},    {.name = "winograd"},
};
static const char recipes_sql[] =
    "SELECT r.id, count(t.id), epochs, batch * accumulate, optimizer || iif(optimizer = 'sgd' AND nesterov, "
    "' (Nesterov)', ''), " SGD_READS(
        "r", "momentum") ", lr,"
                         " schedule, warmup, weight_decay, dropout, smoothing, flip, crop_pad, clip, "
                         "winograd FROM recipe r"
                         " JOIN trial t ON t.recipe_id = r.id WHERE " IN_BLOCK(
                             "t.id") " GROUP BY r.id ORDER BY r.id LIMIT 50";

static const struct table_column running_columns[] = {
    {.name = "trial"},
    {.name = "epochs_done", .title = "epochs done"},
    {.name = "epochs", .title = "of"},
    {.name = "train_loss", .title = "training loss", .decimals = 4},
    {.name = "val_top1", .title = "validation top-1 %", .decimals = 2},
    {.name = "host"},
    {.name = "threads"},
};
static const char running_sql[] =
    "SELECT trial_id, epochs_done, epochs, train_loss, 100 * val_top1, host, threads FROM progress";

static enum status write_tables(struct html_page *p, struct err *e)
{
    const struct html_table tables[] = {
        {.heading = "Running now", HTML_COLUMNS(running_columns), .sql = running_sql},
        {.heading = "Sweeps", HTML_COLUMNS(sweep_columns), .sql = sweeps_sql},
        {.heading = "Recipes", HTML_COLUMNS(recipe_columns), .sql = recipes_sql, .folded = true},
        {.heading = "Machines", HTML_COLUMNS(machine_columns), .sql = machines_sql, .folded = true},
    };
    enum status status = ST_OK;
    for (size_t i = 0; status == ST_OK && i < sizeof tables / sizeof *tables; i++)
        status = html_table_write(p, &tables[i], NULL, e);
    return status;
}

/* What the numbers leave out. */
static void write_left(struct html_page *p, int64_t shorter, int64_t outside)
{
    if (shorter > 0)
        fputs("<p class=\"note\">Counts, findings and figures are of full trainings. Those of a search's "
              "shorter rungs stand, marked, in the table of all trials.</p>\n",
              p->out);
    if (outside > 0)
        fprintf(p->out,
                "<p class=\"note\">%" PRId64 " %s outside the spec: no sweep asks for %s any more. Counts, "
                "findings and figures leave %s out; the table of all trials has %s, marked.</p>\n",
                outside, outside == 1 ? "trial is" : "trials are", outside == 1 ? "it" : "them",
                outside == 1 ? "it" : "them", outside == 1 ? "it" : "them");
}

enum status html_overview(struct html_page *p, struct err *e)
{
    struct store_query *q = NULL;
    bool row = false;
    int64_t shorter = 0, outside = 0;
    enum status status = html_query_row(p, numbers_sql, &q, &row, e);
    if (row) {
        shorter = number(q, NUMBER_SHORTER);
        outside = number(q, NUMBER_OUTSIDE);
        write_origin(p, store_query_cell(q, NUMBER_NOW).text);
        if (number(q, NUMBER_ALL) == 0)
            fputs("<p>This database has no trials yet.</p>\n", p->out);
        else if (number(q, NUMBER_RUNNING) > 0)
            fputs("<p class=\"missing\">A sweep was running when this page was written: write it again for "
                  "newer results.</p>\n",
                  p->out);
        fputs("<dl class=\"tiles\">\n", p->out);
        status = write_best(p, e);
        if (status == ST_OK)
            status = write_numbers(p, q);
        fputs("</dl>\n", p->out);
    }
    store_query_close(q);
    if (status == ST_OK)
        status = write_states(p, e);
    write_left(p, shorter, outside);
    return status == ST_OK ? write_tables(p, e) : status;
}
