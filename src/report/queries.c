#include "report/queries.h"

#include <string.h>

#include "base/strbuf.h"

/* The blocks of a database with several sweeps are told apart by their sweep. */
#define BLOCK(sweep, block) "iif((SELECT count(*) FROM sweep) > 1, " sweep " || '/' || " block ", " block ")"

static const char trials_sql[] = "SELECT t.id, (SELECT group_concat(DISTINCT " BLOCK(
    "s.name",
    "b.name") ") FROM block_trial m"
              "  JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id"
              "  WHERE m.trial_id = t.id AND m.in_spec) AS block,"
              " v.base_e, v.incr_e, v.freq, v.sr, v.pct3x3, t.seed, t.state, v.params,"
              " v.model_bytes / 1048576.0 AS model_mib, v.macs, t.val_top1, t.test_top1, t.test_top5,"
              " t.epochs_done AS epochs, t.train_s"
              " FROM trial t JOIN variant v ON v.id = t.variant_id ORDER BY t.id";

static const char curve_sql[] = "SELECT " BLOCK(
    "sweep", "block") " AS block, axes, sr, pct3x3, n, params, model_mib, macs, val_top1,"
                      " val_top1_stddev, test_top1, test_top1_stddev, test_top5, train_s FROM curve";

static const char leaderboard_sql[] = "SELECT sweep, rank, variant_id AS variant, base_e, incr_e, freq, sr, "
                                      "pct3x3, bypass, params, model_mib, macs, n,"
                                      " val_top1, test_top1, test_top5 FROM leaderboard";

static const char pareto_sql[] = "SELECT sweep, variant_id AS variant, base_e, incr_e, freq, sr, pct3x3, "
                                 "bypass, params, model_mib, macs, n,"
                                 " val_top1, test_top1, test_top5 FROM pareto";

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

const struct named_query *named_queries(void)
{
    static const struct named_query all[] = {
        {"trials", "every trial: metaparameters, state, cost, accuracy, time", trials_sql},
        {"curve", "every point of every block: cost, mean accuracy over its seeds", curve_sql},
        {"leaderboard", "finished variants, the most accurate on validation first", leaderboard_sql},
        {"pareto", "variants that no smaller one equals in accuracy", pareto_sql},
        {"fires", "the 24 hyperparameters of every variant, one row a Fire module", fires_sql},
        {"epochs", "every epoch of every trial: learning rate, losses, accuracies, times", epochs_sql},
        {"attempts", "every execution of every trial: where, how it ended, time, memory", attempts_sql},
        {NULL, NULL, NULL},
    };
    return all;
}

enum status named_query_open(struct store *s, const char *name, struct store_query **out, struct err *e)
{
    struct strbuf known = STRBUF_INIT;
    for (const struct named_query *q = named_queries(); q->name; q++) {
        if (strcmp(q->name, name) == 0) {
            strbuf_release(&known);
            return store_query_open(s, q->sql, out, e);
        }
        strbuf_printf(&known, "%s%s", known.len ? ", " : "", q->name);
    }
    enum status status = known.failed
                             ? err_set(e, ST_NOMEM, "out of memory")
                             : err_set(e, ST_USAGE, "unknown query \"%s\"; known are %s", name, known.text);
    strbuf_release(&known);
    return status;
}
