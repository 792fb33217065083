#include "report/queries.h"

#include <string.h>

#include "base/strbuf.h"
#include "report/events.h"
#include "report/rungs.h"
#include "report/table.h"

/* The blocks of a database with several sweeps are told apart by their sweep. */
#define BLOCK(sweep, block) "iif((SELECT count(*) FROM sweep) > 1, " sweep " || '/' || " block ", " block ")"

/* What tells recipes apart. */
#define RECIPE                                                                                  \
    "r.epochs AS epochs_planned, r.batch, r.optimizer, r.momentum, r.lr, r.schedule, r.warmup," \
    " r.weight_decay, r.dropout, r.smoothing"
#define RECIPE_SHOWN \
    "epochs_planned,batch,optimizer,momentum,lr,schedule,warmup,weight_decay,dropout,smoothing"

static const char trials_sql[] = "SELECT t.id, (SELECT group_concat(DISTINCT " BLOCK(
    "s.name",
    "b.name") ") FROM block_trial m"
              "  JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id"
              "  WHERE m.trial_id = t.id AND m.in_spec) AS block,"
              " v.base_e, v.incr_e, v.freq, v.sr, v.pct3x3, t.seed, t.state, v.params,"
              " v.model_bytes / 1048576.0 AS model_mib, v.macs, t.val_top1, t.test_top1, t.test_top5,"
              " t.epochs_done AS epochs, t.train_s, t.variant_id AS variant, v.bypass, v.pools, "
              "v.model_bytes,"
              " v.activation_bytes, v.realised_sr, v.realised_pct3x3, v.conv1_filters, t.recipe_id AS "
              "recipe, " RECIPE ", t.val_top5, t.val_loss, t.test_loss, t.eval_s,"
              " d.latency_ms, d.latency_p95_ms, d.infer_img_s, d.infer_bytes / 1048576.0 AS infer_mib,"
              " " RUNG_OF("t.id",
                          "rung") " AS rung,"
                                  " t.skip_reason, t.message, t.diverged_step, t.checkpoint"
                                  " FROM trial t JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id "
                                  "= t.recipe_id"
                                  " LEFT JOIN deployment d ON d.variant_id = t.variant_id ORDER BY t.id";
static const char trials_shown[] =
    "id,block,base_e,incr_e,freq,sr,pct3x3,bypass,pools," RECIPE_SHOWN ",seed,state,params,model_mib,macs,"
    "latency_ms,val_top1,test_top1,test_top5,epochs,train_s";

static const char curve_sql[] = "SELECT " BLOCK(
    "sweep", "block") " AS block, axes, sr, pct3x3, n, params, model_mib, macs, latency_ms, val_top1,"
                      " val_top1_stddev, test_top1, test_top1_stddev, test_top5, train_s, latency_p95_ms,"
                      " infer_img_s, infer_mib FROM curve";

static const char curve_shown[] = "block,axes,sr,pct3x3,n,params,model_mib,macs,latency_ms,val_top1,"
                                  "val_top1_stddev,test_top1,test_top1_stddev,test_top5,train_s";

#define RANKED                                                                                             \
    " l.variant_id AS variant, l.recipe_id AS recipe, l.base_e, l.incr_e, l.freq, l.sr, l.pct3x3, "        \
    "l.bypass, l.pools, " RECIPE                                                                           \
    ", l.params, l.model_mib, l.macs, l.n, l.val_top1, l.test_top1, l.test_top5, l.train_s, l.latency_ms," \
    " l.latency_p95_ms, l.infer_img_s, l.infer_mib"
#define RANKED_SETTINGS "variant,recipe,base_e,incr_e,freq,sr,pct3x3,bypass,pools," RECIPE_SHOWN

static const char leaderboard_sql[] =
    "SELECT l.sweep, l.rank," RANKED
    " FROM leaderboard l JOIN recipe r ON r.id = l.recipe_id ORDER BY l.sweep, l.rank";
static const char leaderboard_shown[] =
    "sweep,rank," RANKED_SETTINGS ",params,model_mib,macs,latency_ms,n,val_top1,test_top1,test_top5";

static const char pareto_sql[] =
    "SELECT l.sweep," RANKED
    " FROM pareto l JOIN recipe r ON r.id = l.recipe_id ORDER BY l.sweep, l.model_mib, l.rank";
static const char pareto_shown[] =
    "sweep," RANKED_SETTINGS ",params,model_mib,macs,latency_ms,n,val_top1,test_top1,test_top5";

static const char fires_sql[] =
    "SELECT v.id AS variant, v.base_e, v.incr_e, v.freq, v.sr, v.pct3x3, f.fire, f.s1x1, f.e1x1, f.e3x3,"
    " f.s1x1_clamped, f.params FROM fire f JOIN variant v ON v.id = f.variant_id ORDER BY f.variant_id, "
    "f.fire";

static const char epochs_sql[] = "SELECT trial_id AS trial, epoch, lr, train_loss, train_top1, val_loss, "
                                 "val_top1, val_top5, train_s, eval_s"
                                 " FROM epoch ORDER BY trial_id, epoch";

static const char attempts_sql[] =
    "SELECT trial_id AS trial, number AS attempt, host, pid, threads, isa, started_utc, outcome, wall_s, "
    "cpu_s,"
    " peak_rss_bytes / 1048576.0 AS peak_rss_mib, message FROM attempt ORDER BY trial_id, number";

/* The best by mean, and how far behind it the others are, in the leaderboard's own measure. */
static const char best_sql[] =
    "SELECT l.sweep, l.rank," RANKED ", coalesce(l.val_top1, l.test_top1) - max(coalesce(l.val_top1,"
    " l.test_top1)) OVER (PARTITION BY l.sweep) AS behind"
    " FROM leaderboard l JOIN recipe r ON r.id = l.recipe_id WHERE l.rank <= 10 ORDER BY l.sweep, l.rank";
static const char best_shown[] =
    "sweep,rank," RANKED_SETTINGS ",params,model_mib,latency_ms,n,val_top1,test_top1,behind";

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
    "SELECT t.id, t.state, v.base_e, v.incr_e, v.freq, v.sr, v.pct3x3, t.seed,"
    " (SELECT count(*) FROM attempt a WHERE a.trial_id = t.id) AS attempts, t.epochs_done AS epochs, "
    "t.diverged_step,"
    " t.message, t.variant_id AS variant, v.bypass, v.params, r.lr, r.batch, r.optimizer FROM trial t"
    " JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id"
    " WHERE t.state IN ('failed', 'diverged', 'timed_out') ORDER BY t.id";
static const char failures_shown[] =
    "id,state,base_e,incr_e,freq,sr,pct3x3,seed,attempts,epochs,diverged_step,message";

/* How each variant was measured, beside the columns that other queries show. */
static const char deployment_sql[] =
    "SELECT d.variant_id AS variant, v.base_e, v.incr_e, v.freq, v.sr, v.pct3x3, v.bypass,"
    " v.model_bytes / 1048576.0 AS model_mib, d.latency_ms, d.latency_p95_ms, d.repetitions, d.infer_img_s,"
    " d.infer_bytes / 1048576.0 AS infer_mib, d.infer_activation_bytes / 1048576.0 AS infer_activation_mib,"
    " v.activation_bytes / 1048576.0 AS activation_mib, d.cpu_share, d.isa, d.host, d.cpu, d.tool_version,"
    " d.measured_utc, v.pools, v.params, v.macs, d.tile, d.winograd"
    " FROM deployment d JOIN variant v ON v.id = d.variant_id ORDER BY d.variant_id";
static const char deployment_shown[] = "variant,base_e,incr_e,freq,sr,pct3x3,bypass,model_mib,latency_ms,"
                                       "latency_p95_ms,infer_img_s,infer_mib,repetitions,cpu_share,isa,host,"
                                       "measured_utc";

/* One row per variant and recipe in a rung. */
static const char rungs_sql[] =
    "SELECT s.name AS sweep, r.rung, r.rungs, c.epochs, t.variant_id AS variant, v.base_e, v.incr_e, v.freq,"
    " v.sr, v.pct3x3, v.bypass, v.model_bytes / 1048576.0 AS model_mib, d.latency_ms, count(*) AS seeds,"
    " sum(t.state = 'done') AS n, avg(iif(t.state = 'done', t.val_top1, NULL)) AS val_top1, r.rank, c.batch, "
    "c.optimizer, c.momentum, c.lr,"
    " c.schedule, c.warmup, c.weight_decay, c.dropout, c.smoothing,"
    " r.promoted, min(t.state) AS state, t.message, v.params, v.macs, v.activation_bytes, t.recipe_id AS "
    "recipe"
    " FROM rung r JOIN sweep s ON s.id = r.sweep_id JOIN trial t ON t.id = r.trial_id"
    " JOIN variant v ON v.id = t.variant_id JOIN recipe c ON c.id = t.recipe_id"
    " LEFT JOIN deployment d ON d.variant_id = t.variant_id WHERE r.in_spec"
    " GROUP BY r.sweep_id, r.rung, t.variant_id, t.recipe_id"
    " ORDER BY r.sweep_id, r.rung, r.rank IS NULL, r.rank, t.state = 'pruned', val_top1 DESC, t.variant_id";
static const char rungs_shown[] =
    "sweep,rung,epochs,variant,recipe,base_e,incr_e,freq,sr,pct3x3,bypass,batch,optimizer,momentum,lr,"
    "schedule,"
    "warmup,weight_decay,dropout,smoothing,model_mib,n,val_top1,rank,promoted,state";

static const char events_sql[] = EVENTS_SQL;

const struct named_query *named_queries(void)
{
    static const struct named_query all[] = {
        {"trials", "every trial: metaparameters, state, cost, accuracy, time", trials_sql, trials_shown},
        {"curve", "every point of every block: cost, mean accuracy over its seeds", curve_sql, curve_shown},
        {"best", "the ten best variants of each sweep, and how far behind the first", best_sql, best_shown},
        {"leaderboard", "finished variants, the most accurate on validation first", leaderboard_sql,
         leaderboard_shown},
        {"pareto", "variants that no smaller one equals in accuracy", pareto_sql, pareto_shown},
        {"fires", "the 24 hyperparameters of every variant, one row a Fire module", fires_sql, NULL},
        {"epochs", "every epoch of every trial: learning rate, losses, accuracies, times", epochs_sql, NULL},
        {"attempts", "every execution of every trial: where, how it ended, time, memory", attempts_sql, NULL},
        {"deployment", "inference of each variant as measured: latency, rate, memory, and how",
         deployment_sql, deployment_shown},
        {"rungs", "a search's rungs: every variant's accuracy, rank, and whether it went on", rungs_sql,
         rungs_shown},
        {"events", "what happened on the way: crashes, further attempts, refused checkpoints", events_sql,
         NULL},
        {"aliases", "points whose layers are another point's, trained once for both", aliases_sql, NULL},
        {"failures", "trials that failed, diverged or timed out, and why", failures_sql, failures_shown},
        {NULL, NULL, NULL, NULL},
    };
    return all;
}

/* Chosen (metaparameters, recipe, place) rather than measured or counted. */
static bool is_setting(const char *column)
{
    static const char settings[] =
        ",sweep,block,recipe,base_e,incr_e,freq,sr,pct3x3,bypass,pools," RECIPE_SHOWN ",isa,host,";
    const size_t n = strlen(column);
    for (const char *at = strstr(settings, column); at && n > 0; at = strstr(at + n, column))
        if (at[-1] == ',' && at[n] == ',')
            return true;
    return false;
}

unsigned named_query_chosen_flags(const char *column)
{
    return strcmp(column, "axes") == 0 || strcmp(column, "same_as_axes") == 0 ? TABLE_JSON_VALUE : 0;
}

unsigned named_query_flags(const char *column)
{
    return named_query_chosen_flags(column) | (is_setting(column) ? TABLE_VARYING : 0);
}

enum status named_query_open_filtered(struct store *s, const char *name, const struct store_filter *f,
                                      struct store_query **out, struct err *e)
{
    struct strbuf known = STRBUF_INIT;
    for (const struct named_query *q = named_queries(); q->name; q++) {
        if (strcmp(q->name, name) == 0) {
            struct store_filter filter = *f;
            filter.shown = q->shown;
            strbuf_release(&known);
            return store_query_open_filtered(s, q->sql, &filter, out, e);
        }
        strbuf_printf(&known, "%s%s", known.len ? ", " : "", q->name);
    }
    enum status status =
        known.failed
            ? err_set(e, ST_NOMEM, "out of memory")
            : err_set(e, ST_USAGE, "unknown query \"%s\"; known are %s, compare, effects, plateau, ranks",
                      name, known.text);
    strbuf_release(&known);
    return status;
}

enum status named_query_open(struct store *s, const char *name, struct store_query **out, struct err *e)
{
    return named_query_open_filtered(s, name, &(struct store_filter){.limit = -1}, out, e);
}
