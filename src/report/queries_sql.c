/* The SQL of the named queries. Settings are those of settings.h; what is not shown is there for filters. */
#include "report/events.h"
#include "report/queries.h"
#include "report/query_front.h"
#include "report/query_rungs.h"
#include "report/rungs.h"
#include "report/settings.h"

/* Laid out by hand, as settings.h. */
/* clang-format off */

#define BLOCK_NAME STORE_BLOCK_NAME("s.name", "b.name")
/* Half of a 95 % confidence interval of a mean of n: what ci95_factor gives, times the standard deviation. */
#define CI95(sd, n) "ci95_factor(" n ") * " sd
#define DEPLOYMENT "d.latency_ms, d.latency_p95_ms, d.infer_img_s, d.infer_bytes / 1048576.0 AS infer_mib"
#define MODEL_MIB "v.model_bytes / 1048576.0 AS model_mib"
#define VARIANT_AND_RECIPE " JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id"
#define MEASURED " LEFT JOIN deployment d ON d.variant_id = t.variant_id"

/* All of them, with commas. */
#define OF_MEMBERSHIPS(name) \
    "(SELECT group_concat(DISTINCT " name ") FROM block_trial m JOIN block b ON b.id = m.block_id" \
    " JOIN sweep s ON s.id = b.sweep_id WHERE m.trial_id = t.id AND m.in_spec)"
#define SWEEPS_OF_TRIAL "coalesce(" OF_MEMBERSHIPS("s.name") ", " SWEEPS_OF_RUNGS("t.id") ")"
static const char trials_sql[] =
    "SELECT t.id AS trial, " SWEEPS_OF_TRIAL " AS sweep, " OF_MEMBERSHIPS(BLOCK_NAME) " AS block, "
    SETTINGS_OF_TRIAL("a", "v") ", " ALSO("a", "at.id = t.id") ", t.seed, t.state, v.params, " MODEL_MIB ", v.macs,"
    " t.val_top1, t.test_top1, t.test_top5, t.epochs_done AS epochs, t.train_s, t.variant_id AS variant, "
    COSTS_OF_VARIANT("v") ", t.recipe_id AS recipe, " SETTINGS_OF_RECIPE("r")
    ", t.val_top5, t.val_loss, t.test_loss, t.eval_s, " DEPLOYMENT ", " RUNG_OF("t.id", "rung") " AS rung,"
    " t.skip_reason, t.message, t.diverged_step, t.checkpoint"
    " FROM trial t JOIN asked a ON a.trial_id = t.id" VARIANT_AND_RECIPE MEASURED " ORDER BY t.id";
static const char trials_shown[] =
    "trial,block," SETTINGS_VARIANT_SHOWN ",also," SETTINGS_RECIPE_SHOWN
    ",seed,state,params,model_mib,macs,latency_ms,val_top1,test_top1,test_top5,epochs,train_s";

static const char curve_sql[] =
    "SELECT " STORE_BLOCK_NAME("c.sweep", "c.block") " AS block, c.axes, c.sr, c.pct3x3, c.n, c.params, c.model_mib,"
    " c.macs, c.latency_ms, c.val_top1, " CI95("c.val_top1_stddev", "c.n") " AS val_top1_ci95,"
    " c.test_top1, " CI95("c.test_top1_stddev", "c.n") " AS test_top1_ci95, c.test_top5, c.train_s,"
    " c.latency_p95_ms, c.infer_img_s, c.infer_mib, c.val_top1_stddev, c.test_top1_stddev,"
    " c.variant_id AS variant, c.recipe_id AS recipe, c.sweep, c.base_e, c.incr_e, c.freq, " COSTS_OF_VARIANT("v")
    ", c.bypass, iif(v.pool_floor, 'floor', 'ceil') AS pool_rounding, " SETTINGS_OF_VARIANT_BUT_POINT("v", "c") ", " SETTINGS_OF_RECIPE("r")
    " FROM curve c JOIN variant v ON v.id = c.variant_id JOIN recipe r ON r.id = c.recipe_id";
/* Without the sweep before it. */
static const char block_of_curve[] =
    "SELECT iif(instr(r.block, r.sweep || '/') = 1, substr(r.block, length(r.sweep) + 2), r.block) AS block";
static const char curve_shown[] =
    "block,axes,sr,pct3x3,n,params,model_mib,macs,latency_ms,val_top1,val_top1_ci95,test_top1,"
    "test_top1_ci95,test_top5,train_s";

/* Finished variants by their mean, as the view leaderboard has them, with how sure it is. */
static const char leaderboard_sql[] =
    "WITH member AS (SELECT DISTINCT b.sweep_id, m.trial_id FROM block_trial m"
    "  JOIN block b ON b.id = m.block_id WHERE m.in_spec),"
    " result AS (SELECT m.sweep_id, t.variant_id, t.recipe_id, count(*) AS n, avg(t.val_top1) AS val_top1,"
    "  avg(t.test_top1) AS test_top1, avg(t.test_top5) AS test_top5, avg(t.train_s) AS train_s,"
    "  group_concat(t.id, ' ') AS trials, min(t.id) AS first_trial, " STORE_STDDEV("t.val_top1") " AS val_sd,"
    "  " STORE_STDDEV("t.test_top1") " AS test_sd"
    "  FROM trial t JOIN member m ON m.trial_id = t.id WHERE t.state = 'done'"
    "  GROUP BY m.sweep_id, t.variant_id, t.recipe_id)"
    " SELECT s.name AS sweep, row_number() OVER (PARTITION BY s.id"
    "  ORDER BY coalesce(t.val_top1, t.test_top1) DESC, v.model_bytes, v.id, t.recipe_id) AS rank,"
    " t.variant_id AS variant, t.recipe_id AS recipe,"
    " (SELECT group_concat(DISTINCT b.name) FROM block_trial m JOIN block b ON b.id = m.block_id"
    "  WHERE m.trial_id = t.first_trial AND m.in_spec AND b.sweep_id = s.id) AS block, "
    SETTINGS_OF_TRIAL("a", "v") ", " ALSO("a", "at.id = t.first_trial") ", " SETTINGS_OF_RECIPE("r") ", v.params, "
    COSTS_OF_VARIANT("v") ", " MODEL_MIB ", v.macs, t.n, t.val_top1, " CI95("t.val_sd", "t.n") " AS val_top1_ci95,"
    " t.test_top1, " CI95("t.test_sd", "t.n") " AS test_top1_ci95, t.test_top5, t.train_s, t.trials, t.first_trial,"
    " " DEPLOYMENT ", v.activation_bytes / 1048576.0 AS activation_mib,"
    " t.val_sd AS val_top1_stddev, t.test_sd AS test_top1_stddev"
    " FROM result t JOIN sweep s ON s.id = t.sweep_id JOIN asked a ON a.trial_id = t.first_trial" VARIANT_AND_RECIPE MEASURED " ORDER BY s.id, rank";
#define RANKED_SETTINGS "variant,recipe," SETTINGS_VARIANT_SHOWN ",also," SETTINGS_RECIPE_SHOWN
#define RANKED_RESULTS "trials,n,val_top1,val_top1_ci95,test_top1,test_top1_ci95,test_top5"
static const char leaderboard_shown[] =
    "sweep,rank," RANKED_SETTINGS ",params,model_mib,macs,latency_ms," RANKED_RESULTS;

/* Of the leaderboard, or what a filter leaves of it, those on the front that query_front has found. */
static const char pareto_before[] = "SELECT x.*, p.front_pct FROM (";
static const char pareto_after[] =
    ") x JOIN temp.front p ON p.sweep = x.sweep AND p.variant = x.variant AND p.recipe = x.recipe"
    " ORDER BY x.sweep, p.cost, x.rank";
static const char pareto_shown[] =
    "sweep," RANKED_SETTINGS ",params,model_mib,macs,latency_ms," RANKED_RESULTS ",front_pct";

/* Likewise the best, and how far behind the first they are in the leaderboard's own measure. */
#define SCORE "coalesce(x.val_top1, x.test_top1)"
static const char best_before[] =
    "SELECT y.* FROM (SELECT x.*, max(" SCORE ") OVER (PARTITION BY x.sweep) - " SCORE " AS behind,"
    " row_number() OVER (PARTITION BY x.sweep ORDER BY x.rank) AS place FROM (";
static const char best_after[] = ") x) y";
enum { BEST_PLACES = 10 };
static const char best_shown[] =
    "sweep,rank," RANKED_SETTINGS ",params,model_mib,latency_ms," RANKED_RESULTS ",behind";

static const char fires_sql[] =
    "SELECT v.id AS variant, " SETTINGS_OF_VARIANT("v") ", " ALSO("v", "at.variant_id = v.id") ", f.fire, f.s1x1, f.e1x1, f.e3x3, f.s1x1_clamped,"
    " f.params, v.macs, " COSTS_OF_VARIANT("v")
    " FROM fire f JOIN variant v ON v.id = f.variant_id ORDER BY f.variant_id, f.fire";
static const char fires_shown[] =
    "variant," SETTINGS_VARIANT_SHOWN ",also,fire,s1x1,e1x1,e3x3,s1x1_clamped,params";

/* Whose an epoch or attempt is, for filters. */
#define OF_TRIAL \
    SWEEPS_OF_TRIAL " AS sweep, " OF_MEMBERSHIPS(BLOCK_NAME) " AS block, " \
    SETTINGS_OF_TRIAL("a", "v") ", t.seed, t.state, t.variant_id AS variant, t.recipe_id AS recipe"
#define TRIAL_OF(x) \
    " JOIN trial t ON t.id = " x ".trial_id JOIN asked a ON a.trial_id = t.id JOIN variant v ON v.id = t.variant_id"
static const char epochs_sql[] =
    "SELECT x.trial_id AS trial, x.epoch, x.lr, x.train_loss, x.train_top1, x.val_loss, x.val_top1,"
    " x.val_top5, x.train_s, x.eval_s, " OF_TRIAL " FROM epoch x" TRIAL_OF("x")
    " ORDER BY x.trial_id, x.epoch";
static const char epochs_shown[] =
    "trial,epoch,lr,train_loss,train_top1,val_loss,val_top1,val_top5,train_s,eval_s";

static const char attempts_sql[] =
    "SELECT x.trial_id AS trial, x.number AS attempt, x.host, x.pid, x.threads, x.isa, x.started_utc,"
    " x.outcome, x.wall_s, x.cpu_s, x.peak_rss_bytes / 1048576.0 AS peak_rss_mib, x.message, " OF_TRIAL
    " FROM attempt x" TRIAL_OF("x") " ORDER BY x.trial_id, x.number";
static const char attempts_shown[] =
    "trial,attempt,host,pid,threads,isa,started_utc,outcome,wall_s,cpu_s,peak_rss_mib,message";

/* Points that are no trials of their own: their layers are another point's. */
static const char aliases_sql[] =
    "WITH member AS (SELECT " BLOCK_NAME " AS block, m.block_id, m.axes, m.trial_id, t.variant_id,"
    "  row_number() OVER (ORDER BY b.sweep_id, b.position, m.position) AS place"
    "  FROM block_trial m JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id"
    "  JOIN trial t ON t.id = m.trial_id WHERE m.in_spec)"
    " SELECT block, axes, variant, same_as_block, same_as_axes FROM"
    " (SELECT a.block_id, a.block, a.axes, a.variant_id AS variant, o.block AS same_as_block,"
    "  o.axes AS same_as_axes, min(o.place)"
    "  FROM member a JOIN member o ON o.trial_id = a.trial_id AND o.place < a.place"
    "  AND (a.block_id <> o.block_id OR a.axes <> o.axes)"
    "  GROUP BY a.block_id, a.axes, a.variant_id) ORDER BY block_id, variant, axes";

static const char failures_sql[] =
    "SELECT t.id AS trial, t.state, " SWEEPS_OF_TRIAL " AS sweep, " OF_MEMBERSHIPS(BLOCK_NAME)
    " AS block, " SETTINGS_OF_TRIAL("a", "v") ", " ALSO("a", "at.id = t.id") ", " SETTINGS_OF_RECIPE("r") ", t.seed,"
    " (SELECT count(*) FROM attempt a WHERE a.trial_id = t.id) AS attempts, t.epochs_done AS epochs,"
    " t.diverged_step, t.message, t.variant_id AS variant, t.recipe_id AS recipe, v.params, v.macs, "
    COSTS_OF_VARIANT("v") " FROM trial t JOIN asked a ON a.trial_id = t.id" VARIANT_AND_RECIPE
    " WHERE t.state IN ('failed', 'diverged', 'timed_out') ORDER BY t.id";
static const char failures_shown[] =
    "trial,state,block," SETTINGS_VARIANT_SHOWN ",also," SETTINGS_RECIPE_SHOWN
    ",seed,attempts,epochs,diverged_step,message";

/* How each variant was measured, beside the columns that other queries show. */
static const char deployment_sql[] =
    "SELECT d.variant_id AS variant, " SETTINGS_OF_VARIANT("v") ", " ALSO("v", "at.variant_id = v.id") ", " MODEL_MIB ", " DEPLOYMENT
    ", d.repetitions, d.infer_activation_bytes / 1048576.0 AS infer_activation_mib,"
    " v.activation_bytes / 1048576.0 AS activation_mib, d.cpu_share, d.isa, d.host, d.cpu, d.tool_version,"
    " d.measured_utc, v.params, v.macs, " COSTS_OF_VARIANT("v") ", d.tile, d.winograd AS measured_winograd"
    " FROM deployment d JOIN variant v ON v.id = d.variant_id ORDER BY d.variant_id";
static const char deployment_shown[] =
    "variant," SETTINGS_VARIANT_SHOWN ",also,model_mib,latency_ms,latency_p95_ms,infer_img_s,infer_mib,"
    "repetitions,cpu_share,isa,host,measured_utc";

/* One row per variant and recipe in a rung; with what a search in pareto mode compares beside accuracy. */
static const char rungs_sql[] =
    "SELECT s.name AS sweep, x.rung, x.rungs, r.epochs, t.variant_id AS variant, t.recipe_id AS recipe, "
    SETTINGS_OF_VARIANT("v") ", " ALSO("v", "at.id = x.full_trial_id") ", " MODEL_MIB ", d.latency_ms, count(*) AS seeds, sum(t.state = 'done') AS n,"
    " avg(iif(t.state = 'done', t.val_top1, NULL)) AS val_top1, x.rank, c.cost, CASE c.cost"
    "  WHEN 'model_bytes' THEN v.model_bytes WHEN 'params' THEN v.params WHEN 'macs' THEN v.macs"
    "  WHEN 'activation_bytes' THEN v.activation_bytes WHEN 'latency_ms' THEN d.latency_ms END AS cost_value, "
    SETTINGS_OF_RECIPE("r") ", x.promoted, min(t.state) AS state, t.message, v.params, v.macs, " COSTS_OF_VARIANT("v")
    " FROM rung x JOIN sweep s ON s.id = x.sweep_id JOIN trial t ON t.id = x.trial_id"
    VARIANT_AND_RECIPE MEASURED " LEFT JOIN temp.rung_cost c ON c.sweep_id = x.sweep_id"
    " WHERE x.in_spec GROUP BY x.sweep_id, x.rung, t.variant_id, t.recipe_id"
    " ORDER BY x.sweep_id, x.rung, x.rank IS NULL, x.rank, t.state = 'pruned', val_top1 DESC, t.variant_id";
/* Without the epochs that are planned: they are the rung's. */
static const char rungs_shown[] =
    "sweep,rung,epochs,variant,recipe," SETTINGS_VARIANT_SHOWN ",also," SETTINGS_RECIPE_BUT_EPOCHS
    ",model_mib,cost,cost_value,n,val_top1,rank,promoted,state";

/* clang-format on */

static const char events_sql[] = EVENTS_SQL;

static const char none_done[] = "no trial is done yet";

static const struct named_query all[] = {
    {.name = "trials",
     .help = "every trial: metaparameters, state, cost, accuracy, time",
     .sql = trials_sql,
     .others = NAMES_OF_TRIAL,
     .shown = trials_shown,
     .nothing = "there is no sweep in it yet"},
    {.name = "curve",
     .help = "every point of every block: cost, mean accuracy over its seeds",
     .sql = curve_sql,
     .others = block_of_curve,
     .shown = curve_shown,
     .nothing = none_done},
    {.name = "best",
     .help = "the ten (or --limit) best variants of each sweep, and how far behind",
     .sql = leaderboard_sql,
     .others = NAMES_OF_RESULT,
     .shown = best_shown,
     .before = best_before,
     .after = best_after,
     .places = BEST_PLACES,
     .nothing = none_done},
    {.name = "leaderboard",
     .help = "finished variants, the most accurate on validation first",
     .sql = leaderboard_sql,
     .others = NAMES_OF_RESULT,
     .shown = leaderboard_shown,
     .nothing = none_done},
    {.name = "pareto",
     .help = "variants that no smaller one (cheaper by --x) equals, and how sure that is",
     .sql = leaderboard_sql,
     .others = NAMES_OF_RESULT,
     .shown = pareto_shown,
     .before = pareto_before,
     .after = pareto_after,
     .takes_cost = true,
     .prepare = query_front,
     .nothing =
         "no variant is done that has this cost; firesweep measure DB measures latency, rate and memory",
     .note = {"front_pct",
              "front_pct: how sure the front is cannot be told where no variant of the sweep has two "
              "seeds."}},
    {.name = "fires",
     .help = "the 24 hyperparameters of every variant, one row a Fire module",
     .sql = fires_sql,
     .others = NAMES_OF_VARIANT,
     .shown = fires_shown,
     .nothing = "there is no sweep in it yet"},
    {.name = "epochs",
     .help = "every epoch of every trial: learning rate, losses, accuracies, times",
     .sql = epochs_sql,
     .others = NAMES_OF_TRIAL,
     .shown = epochs_shown,
     .measured = true,
     .nothing = "no epoch has ended yet"},
    {.name = "attempts",
     .help = "every execution of every trial: where, how it ended, time, memory",
     .sql = attempts_sql,
     .others = NAMES_OF_TRIAL,
     .shown = attempts_shown,
     .nothing = "no trial has been started"},
    {.name = "deployment",
     .help = "inference of each variant as measured: latency, rate, memory, and how",
     .sql = deployment_sql,
     .others = NAMES_OF_VARIANT,
     .shown = deployment_shown,
     .nothing = "no variant has been measured, firesweep measure does it"},
    {.name = "rungs",
     .help = "a search's rungs: every variant's accuracy, rank, and whether it went on",
     .sql = rungs_sql,
     .others = NAMES_OF_VARIANT_IN_SWEEP,
     .prepare = query_rung_costs,
     .shown = rungs_shown,
     .nothing = "no sweep is a search"},
    {.name = "events",
     .help = "what happened on the way: crashes, further attempts, refused checkpoints",
     .sql = events_sql,
     .nothing = "nothing of the kind has happened"},
    {.name = "aliases",
     .help = "points whose layers are another point's, trained once for both",
     .sql = aliases_sql,
     .nothing = "every point has layers of its own"},
    {.name = "failures",
     .help = "trials that failed, diverged or timed out, and why",
     .sql = failures_sql,
     .others = NAMES_OF_TRIAL,
     .shown = failures_shown,
     .nothing = "no trial failed, diverged or timed out"},
    {.name = NULL},
};

const struct named_query *named_queries(void)
{
    return all;
}
