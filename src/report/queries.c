#include "report/queries.h"

#include <math.h>
#include <string.h>

#include "base/strbuf.h"
#include "report/events.h"
#include "report/query_front.h"
#include "report/rungs.h"
#include "report/settings.h"
#include "report/statistics.h"
#include "report/table.h"
#include "sweep/spec_error.h"
#include "sweep/suggest.h"

/* The blocks of a database with several sweeps are told apart by their sweep. */
#define BLOCK(sweep, block) "iif((SELECT count(*) FROM sweep) > 1, " sweep " || '/' || " block ", " block ")"

static const char trials_sql[] = "SELECT t.id AS trial, (SELECT group_concat(DISTINCT " BLOCK(
    "s.name",
    "b.name") ") FROM block_trial m"
              "  JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id"
              "  WHERE m.trial_id = t.id AND m.in_spec) AS block,"
              " " SETTINGS_OF_VARIANT(
                  "v") ", t.seed, t.state, v.params,"
                       " v.model_bytes / 1048576.0 AS model_mib, v.macs, t.val_top1, t.test_top1, "
                       "t.test_top5,"
                       " t.epochs_done AS epochs, t.train_s, t.variant_id AS variant, " COSTS_OF_VARIANT(
                           "v") ", t.recipe_id AS "
                                "recipe, " SETTINGS_OF_RECIPE(
                                    "r") ", t.val_top5, t.val_loss, t.test_loss, t.eval_s,"
                                         " d.latency_ms, d.latency_p95_ms, d.infer_img_s, d.infer_bytes / "
                                         "1048576.0 "
                                         "AS infer_mib,"
                                         " " RUNG_OF(
                                             "t.id",
                                             "rung") " AS rung,"
                                                     " t.skip_reason, t.message, t.diverged_step, "
                                                     "t.checkpoint"
                                                     " FROM trial t JOIN variant v ON v.id = t.variant_id "
                                                     "JOIN recipe r ON r.id "
                                                     "= t.recipe_id"
                                                     " LEFT JOIN deployment d ON d.variant_id = t.variant_id "
                                                     "ORDER BY t.id";
static const char trials_shown[] =
    "trial,block," SETTINGS_VARIANT_SHOWN "," SETTINGS_RECIPE_SHOWN
    ",seed,state,params,model_mib,macs,latency_ms,val_top1,test_top1,test_top5,epochs,train_s";

/* Half of a 95 % confidence interval of a mean of n: what query_ci95 gives, times the standard deviation. */
#define CI95(sd, n) "ci95_factor(" n ") * " sd

static const char curve_sql[] =
    "SELECT " BLOCK(
        "c.sweep",
        "c.block") " AS block, c.axes, c.sr, c.pct3x3, c.n, c.params, c.model_mib, "
                   "c.macs,"
                   " c.latency_ms, c.val_top1, " CI95(
                       "c.val_top1_stddev",
                       "c.n") " AS val_top1_ci95, c.test_top1, " CI95("c.test_top1_stddev",
                                                                      "c.n") " AS test_top1_ci95, "
                                                                             "c.test_top5, c.train_s, "
                                                                             "c.latency_p95_ms, "
                                                                             "c.infer_img_s,"
                                                                             " c.infer_mib, "
                                                                             "c.val_top1_stddev, "
                                                                             "c.test_top1_stddev, "
                                                                             "c.variant_id AS variant, "
                                                                             "c.recipe_id AS recipe,"
                                                                             " c.base_e, c.incr_e, "
                                                                             "c.freq, " COSTS_OF_VARIANT("v") ", " SETTINGS_OF_VARIANT_BUT_METAPARAMETERS(
                                                                                 "v") ", " SETTINGS_OF_RECIPE("r") " FROM curve c "
                                                                                                                   "JOIN variant "
                                                                                                                   "v ON v.id = "
                                                                                                                   "c.variant_id "
                                                                                                                   "JOIN recipe r "
                                                                                                                   "ON r.id = "
                                                                                                                   "c.recipe_id";
static const char curve_shown[] = "block,axes,sr,pct3x3,n,params,model_mib,macs,latency_ms,val_top1,"
                                  "val_top1_ci95,test_top1,test_top1_ci95,test_top5,train_s";

/* Finished variants by their mean, as the view leaderboard has them, with how sure it is. */
static const char leaderboard_sql[] =
    "WITH member AS (SELECT DISTINCT b.sweep_id, m.trial_id FROM block_trial m JOIN block b ON b.id = "
    "m.block_id"
    "  WHERE m.in_spec),"
    " result AS (SELECT m.sweep_id, t.variant_id, t.recipe_id, count(*) AS n, avg(t.val_top1) AS val_top1,"
    "  avg(t.test_top1) AS test_top1, avg(t.test_top5) AS test_top5, avg(t.train_s) AS train_s, "
    "group_concat(t.id, ' ') AS trials,"
    "  " STORE_STDDEV("t.val_top1") " AS val_sd, " STORE_STDDEV(
        "t.test_top1") " AS test_sd"
                       "  FROM trial t JOIN member m ON m.trial_id = t.id WHERE t.state = 'done'"
                       "  GROUP BY m.sweep_id, t.variant_id, t.recipe_id)"
                       " SELECT s.name AS sweep, row_number() OVER (PARTITION BY s.id ORDER BY "
                       "coalesce(x.val_top1, x.test_top1) DESC,"
                       "  v.model_bytes, v.id, x.recipe_id) AS rank, x.variant_id AS variant, x.recipe_id AS "
                       "recipe, " SETTINGS_OF_VARIANT("v") ", " SETTINGS_OF_RECIPE(
                           "r") ", v.params, " COSTS_OF_VARIANT("v") ", v.model_bytes / 1048576.0 AS "
                                                                     "model_mib, v.macs,"
                                                                     " x.n, x.val_top1, " CI95(
                                                                         "x.val_sd",
                                                                         "x.n") " AS val_top1_ci95, "
                                                                                "x.test_top1, " CI95(
                                                                                    "x.test_sd",
                                                                                    "x.n") " AS "
                                                                                           "test_top1_ci95, "
                                                                                           "x.test_top5, "
                                                                                           "x.train_s, "
                                                                                           "x.trials, "
                                                                                           "d.latency_ms, "
                                                                                           "d.latency_p95_ms,"
                                                                                           " "
                                                                                           "d.infer_img_s,"
                                                                                           " d.infer_bytes / "
                                                                                           "1048576.0 AS "
                                                                                           "infer_mib, "
                                                                                           "x.val_sd "
                                                                                           "AS "
                                                                                           "val_top1_stddev, "
                                                                                           "x.test_sd AS "
                                                                                           "test_top1_stddev"
                                                                                           " FROM result x "
                                                                                           "JOIN "
                                                                                           "sweep s ON s.id "
                                                                                           "= "
                                                                                           "x.sweep_id JOIN "
                                                                                           "variant v ON "
                                                                                           "v.id = "
                                                                                           "x.variant_id"
                                                                                           " JOIN recipe r "
                                                                                           "ON "
                                                                                           "r.id = "
                                                                                           "x.recipe_id "
                                                                                           "LEFT JOIN "
                                                                                           "deployment d ON "
                                                                                           "d.variant_id = "
                                                                                           "x.variant_id"
                                                                                           " ORDER BY s.id, "
                                                                                           "rank";
#define RANKED_SETTINGS "variant,recipe," SETTINGS_VARIANT_SHOWN "," SETTINGS_RECIPE_SHOWN
#define RANKED_RESULTS "trials,n,val_top1,val_top1_ci95,test_top1,test_top1_ci95,test_top5"
static const char leaderboard_shown[] =
    "sweep,rank," RANKED_SETTINGS ",params,model_mib,macs,latency_ms," RANKED_RESULTS;

/* Of the leaderboard, or what a filter leaves of it, those on the front that query_front has found. */
static const char pareto_before[] = "SELECT x.*, p.front_pct FROM (";
static const char pareto_after[] =
    ") x JOIN temp.front p ON p.sweep = x.sweep AND p.variant = x.variant AND p.recipe = "
    "x.recipe ORDER BY x.sweep, x.model_mib, x.rank";
static const char pareto_shown[] =
    "sweep," RANKED_SETTINGS ",params,model_mib,macs,latency_ms," RANKED_RESULTS ",front_pct";

/* Likewise the ten best, and how far behind the first they are in the leaderboard's own measure. */
#define SCORE "coalesce(x.val_top1, x.test_top1)"
static const char best_before[] =
    "SELECT y.* FROM (SELECT x.*, max(" SCORE ") OVER (PARTITION BY x.sweep) - " SCORE " AS behind,"
    " row_number() OVER (PARTITION BY x.sweep ORDER BY x.rank) AS place FROM (";
static const char best_after[] = ") x) y WHERE y.place <= 10 ORDER BY y.sweep, y.rank";
static const char best_shown[] =
    "sweep,rank," RANKED_SETTINGS ",params,model_mib,latency_ms," RANKED_RESULTS ",behind";

static const char fires_sql[] = "SELECT v.id AS variant, " SETTINGS_OF_VARIANT(
    "v") ", f.fire, f.s1x1, f.e1x1, f.e3x3, f.s1x1_clamped, "
         "f.params, v.macs, " COSTS_OF_VARIANT("v") ""
                                                    " FROM fire f JOIN variant v ON v.id = "
                                                    "f.variant_id ORDER BY f.variant_id, f.fire";
static const char fires_shown[] =
    "variant," SETTINGS_VARIANT_SHOWN ",fire,s1x1,e1x1,e3x3,s1x1_clamped,params";

static const char epochs_sql[] = "SELECT trial_id AS trial, epoch, lr, train_loss, train_top1, val_loss, "
                                 "val_top1, val_top5, train_s, eval_s"
                                 " FROM epoch ORDER BY trial_id, epoch";

static const char attempts_sql[] =
    "SELECT trial_id AS trial, number AS attempt, host, pid, threads, isa, started_utc, outcome, wall_s, "
    "cpu_s,"
    " peak_rss_bytes / 1048576.0 AS peak_rss_mib, message FROM attempt ORDER BY trial_id, number";

/* Points that are no trials of their own: their layers are another point's. */
static const char aliases_sql[] = "WITH member AS (SELECT " BLOCK(
    "s.name",
    "b.name") " AS block, m.block_id, m.axes, m.trial_id, t.variant_id,"
              " row_number() OVER (PARTITION BY m.trial_id ORDER BY b.sweep_id, b.position, m.position) AS "
              "appearance"
              " FROM block_trial m JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id"
              " JOIN trial t ON t.id = m.trial_id WHERE m.in_spec)"
              " SELECT DISTINCT a.block, a.axes, a.variant_id AS variant, o.block AS same_as_block, o.axes "
              "AS same_as_axes"
              " FROM member a JOIN member o ON o.trial_id = a.trial_id AND o.appearance = 1"
              " WHERE a.appearance > 1 AND (a.block_id <> o.block_id OR a.axes <> o.axes) ORDER BY "
              "a.block_id, a.variant_id, a.axes";

static const char failures_sql[] =
    "SELECT t.id AS trial, t.state, " SETTINGS_OF_VARIANT("v") ", " SETTINGS_OF_RECIPE(
        "r") ", t.seed,"
             " (SELECT count(*) FROM attempt a WHERE a.trial_id = t.id) AS attempts, t.epochs_done AS epochs,"
             " t.diverged_step, t.message, t.variant_id AS variant, t.recipe_id AS recipe, v.params, "
             "v.macs, " COSTS_OF_VARIANT(
                 "v") " FROM trial t"
                      " JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id"
                      " WHERE t.state IN ('failed', 'diverged', 'timed_out') ORDER BY t.id";
static const char failures_shown[] = "trial,state," SETTINGS_VARIANT_SHOWN "," SETTINGS_RECIPE_SHOWN
                                     ",seed,attempts,epochs,diverged_step,message";

/* How each variant was measured, beside the columns that other queries show. */
static const char deployment_sql[] = "SELECT d.variant_id AS variant, " SETTINGS_OF_VARIANT(
    "v") ", v.model_bytes / 1048576.0 AS model_mib,"
         " d.latency_ms, d.latency_p95_ms, d.repetitions, d.infer_img_s, d.infer_bytes / 1048576.0 AS "
         "infer_mib,"
         " d.infer_activation_bytes / 1048576.0 AS infer_activation_mib,"
         " v.activation_bytes / 1048576.0 AS activation_mib, d.cpu_share, d.isa, d.host, d.cpu, "
         "d.tool_version,"
         " d.measured_utc, v.params, v.macs, " COSTS_OF_VARIANT(
             "v") ", d.tile, d.winograd AS measured_winograd"
                  " FROM deployment d JOIN variant v ON v.id = d.variant_id ORDER BY d.variant_id";
static const char deployment_shown[] =
    "variant," SETTINGS_VARIANT_SHOWN
    ",model_mib,latency_ms,latency_p95_ms,infer_img_s,infer_mib,repetitions,"
    "cpu_share,isa,host,measured_utc";

/* One row per variant and recipe in a rung. */
static const char rungs_sql[] =
    "SELECT s.name AS sweep, x.rung, x.rungs, r.epochs, t.variant_id AS variant, t.recipe_id AS "
    "recipe, " SETTINGS_OF_VARIANT(
        "v") ", v.model_bytes / 1048576.0 AS model_mib, d.latency_ms, count(*) AS seeds,"
             " sum(t.state = 'done') AS n, avg(iif(t.state = 'done', t.val_top1, NULL)) AS val_top1, "
             "x.rank, " SETTINGS_OF_RECIPE("r") ", x.promoted, min(t.state) AS state, t.message, v.params, "
                                                "v.macs, " COSTS_OF_VARIANT(
                                                    "v") ""
                                                         " FROM rung x JOIN sweep s ON s.id = x.sweep_id "
                                                         "JOIN trial t ON t.id = x.trial_id"
                                                         " JOIN variant v ON v.id = t.variant_id JOIN recipe "
                                                         "r ON r.id = t.recipe_id"
                                                         " LEFT JOIN deployment d ON d.variant_id = "
                                                         "t.variant_id WHERE x.in_spec"
                                                         " GROUP BY x.sweep_id, x.rung, t.variant_id, "
                                                         "t.recipe_id"
                                                         " ORDER BY x.sweep_id, x.rung, x.rank IS NULL, "
                                                         "x.rank, t.state = 'pruned', val_top1 "
                                                         "DESC, t.variant_id";
/* Without the epochs that are planned: they are the rung's. */
static const char rungs_shown[] = "sweep,rung,epochs,variant,recipe," SETTINGS_VARIANT_SHOWN
                                  "," SETTINGS_RECIPE_BUT_EPOCHS ",model_mib,n,val_top1,rank,promoted,state";

static const char events_sql[] = EVENTS_SQL;

const struct named_query *named_queries(void)
{
    static const struct named_query all[] = {
        {"trials", "every trial: metaparameters, state, cost, accuracy, time", trials_sql, trials_shown, NULL,
         NULL, NULL},
        {"curve", "every point of every block: cost, mean accuracy over its seeds", curve_sql, curve_shown,
         NULL, NULL, NULL},
        {"best", "the ten best variants of each sweep, and how far behind the first", leaderboard_sql,
         best_shown, best_before, best_after, NULL},
        {"leaderboard", "finished variants, the most accurate on validation first", leaderboard_sql,
         leaderboard_shown, NULL, NULL, NULL},
        {"pareto", "variants that no smaller one equals on validation, and how sure that is", leaderboard_sql,
         pareto_shown, pareto_before, pareto_after, query_front},
        {"fires", "the 24 hyperparameters of every variant, one row a Fire module", fires_sql, fires_shown,
         NULL, NULL, NULL},
        {"epochs", "every epoch of every trial: learning rate, losses, accuracies, times", epochs_sql, NULL,
         NULL, NULL, NULL},
        {"attempts", "every execution of every trial: where, how it ended, time, memory", attempts_sql, NULL,
         NULL, NULL, NULL},
        {"deployment", "inference of each variant as measured: latency, rate, memory, and how",
         deployment_sql, deployment_shown, NULL, NULL, NULL},
        {"rungs", "a search's rungs: every variant's accuracy, rank, and whether it went on", rungs_sql,
         rungs_shown, NULL, NULL, NULL},
        {"events", "what happened on the way: crashes, further attempts, refused checkpoints", events_sql,
         NULL, NULL, NULL, NULL},
        {"aliases", "points whose layers are another point's, trained once for both", aliases_sql, NULL, NULL,
         NULL, NULL},
        {"failures", "trials that failed, diverged or timed out, and why", failures_sql, failures_shown, NULL,
         NULL, NULL},
        {NULL, NULL, NULL, NULL, NULL, NULL, NULL},
    };
    return all;
}

/* Chosen (metaparameters, recipe, place) rather than measured or counted; or measured only where it can be.
 */
static unsigned column_flags(const char *column)
{
    if (settings_hold(
            "latency_ms,latency_p95_ms,infer_img_s,infer_mib,val_top1,val_top5,val_loss,val_top1_ci95,"
            "test_top1_ci95,front_pct",
            column))
        return TABLE_OPTIONAL;
    if (settings_hold(SETTINGS_VARIANT_MINOR "," SETTINGS_RECIPE_MINOR, column))
        return TABLE_VARYING | TABLE_MINOR;
    return settings_hold("sweep,block,recipe,isa,host," SETTINGS_VARIANT_MAIN "," SETTINGS_RECIPE_MAIN,
                         column)
               ? TABLE_VARYING
               : 0;
}

unsigned named_query_chosen_flags(const char *column)
{
    return strcmp(column, "axes") == 0 || strcmp(column, "same_as_axes") == 0 ? TABLE_JSON_VALUE : 0;
}

unsigned named_query_flags(const char *column)
{
    return named_query_chosen_flags(column) | column_flags(column);
}

static double ci95_factor(double n)
{
    return n >= 2 ? student_t_quantile(0.975, (size_t)n - 1) / sqrt(n) : NAN;
}

static enum status open_known(struct store *s, const struct named_query *q, const struct store_filter *f,
                              struct store_query **out, struct err *e)
{
    struct store_filter filter = *f;
    filter.shown = q->shown;
    filter.before = q->before;
    filter.after = q->after;
    enum status st = store_define(s, "ci95_factor", ci95_factor, e);
    if (st == ST_OK && q->prepare)
        st = q->prepare(s, q->sql, f->where, e);
    return st == ST_OK ? store_query_open_filtered(s, q->sql, &filter, out, e) : st;
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

enum status named_query_open_filtered(struct store *s, const char *name, const struct store_filter *f,
                                      struct store_query **out, struct err *e)
{
    for (const struct named_query *q = named_queries(); q->name; q++) {
        if (strcmp(q->name, name) == 0)
            return open_known(s, q, f, out, e);
    }
    return unknown_query(name, e);
}

enum status named_query_open(struct store *s, const char *name, struct store_query **out, struct err *e)
{
    return named_query_open_filtered(s, name, &(struct store_filter){.limit = -1}, out, e);
}
