#include "report/summary.h"

#include "base/strbuf.h"
#include "report/events.h"
#include "report/rungs.h"

/* " SR=0.125 freq=2" from the axes of a point. */
#define AXES_TEXT(axes) "(SELECT group_concat(' ' || key || '=' || value, '') FROM json_each(" axes "))"

#define FULL_TRIAL \
    "SELECT x.full_trial_id FROM rung x WHERE x.trial_id = t.id AND " SHORTER_RUNG("t.id") " LIMIT 1"

#define BLOCK_NAME STORE_BLOCK_NAME("s.name", "b.name")
#define AXES_OF_MEMBER AXES_TEXT("m.axes")

/* The first point that names a trial: "fig3a SR=0.125 seed 1", with several sweeps "s/fig3a SR=..."; of a
 * training in a shorter rung the full one's, "fig3a SR=0.125 seed 1 (2 epochs)". */
#define TRIAL_NAME                                                                                        \
    "(SELECT " BLOCK_NAME " || coalesce(" AXES_OF_MEMBER ", '') || ' seed ' || t.seed FROM block_trial m" \
    "  JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id"                               \
    "  WHERE m.trial_id = coalesce((" FULL_TRIAL "), t.id)"                                               \
    "  ORDER BY m.in_spec DESC, b.sweep_id, b.position, m.position LIMIT 1)"                              \
    " || coalesce((SELECT iif(c.epochs = 1, ' (1 epoch)', ' (' || c.epochs || ' epochs)')"                \
    "  FROM recipe c WHERE c.id = t.recipe_id AND EXISTS (" FULL_TRIAL ")), '')"

enum status summary_sweeps(struct store *s, struct store_query **out, struct err *e)
{
    return store_query_open(
        s,
        "SELECT s.name, s.spec_path, s.data_path, count(DISTINCT t.id) AS trials,"
        " count(DISTINCT iif(t.state = 'done', t.id, NULL)) AS done,"
        " nullif((SELECT count(*) FROM rung r WHERE r.sweep_id = s.id AND r.in_spec AND r.rung < r.rungs), 0)"
        " AS shorter_rungs, s.updated_utc FROM sweep s"
        " LEFT JOIN block b ON b.sweep_id = s.id LEFT JOIN block_trial m ON m.block_id = b.id AND m.in_spec"
        " LEFT JOIN trial t ON t.id = m.trial_id GROUP BY s.id ORDER BY s.id",
        out, e);
}

enum status summary_running(struct store *s, struct store_query **out, struct err *e)
{
    return store_query_open(
        s,
        "SELECT p.trial_id AS trial, " TRIAL_NAME
        " AS name, p.epochs_done, p.epochs, p.train_loss, p.val_top1,"
        " p.epoch_train_s + p.epoch_eval_s AS epoch_s, p.threads, p.host, p.pid, p.started_utc"
        " FROM progress p JOIN trial t ON t.id = p.trial_id",
        out, e);
}

enum status summary_failures(struct store *s, struct store_query **out, struct err *e)
{
    return store_query_open(
        s,
        "SELECT t.id AS trial, " TRIAL_NAME " AS name, t.state,"
        " (SELECT count(*) FROM attempt a WHERE a.trial_id = t.id) AS attempts, t.epochs_done,"
        " t.message FROM trial t WHERE t.state IN ('failed', 'diverged', 'timed_out')"
        " ORDER BY t.state DESC, t.id",
        out, e);
}

enum status summary_events(struct store *s, struct store_query **out, struct err *e)
{
    struct strbuf sql = STRBUF_INIT;
    strbuf_printf(&sql,
                  "SELECT n.trial, " TRIAL_NAME
                  " AS name, n.attempt, n.at_utc, n.kind, n.text FROM (SELECT *,"
                  " row_number() OVER (ORDER BY at_utc, trial, attempt, kind) AS place FROM (" EVENTS_SQL
                  ") ORDER BY place DESC LIMIT %d) n JOIN trial t ON t.id = n.trial ORDER BY n.place",
                  SUMMARY_EVENTS);
    enum status st =
        sql.failed ? err_set(e, ST_NOMEM, "out of memory") : store_query_open(s, sql.text, out, e);
    strbuf_release(&sql);
    return st;
}

enum status summary_outside(struct store *s, struct store_query **out, struct err *e)
{
    return store_query_open(s, "SELECT count(*) FROM trial t WHERE " OUTSIDE_SPEC("t.id"), out, e);
}

enum status summary_results(struct store *s, const char *sweep, struct store_query **out, struct err *e)
{
    struct strbuf sql = STRBUF_INIT;
    strbuf_puts(
        &sql,
        "SELECT c.block, c.block || coalesce(" AXES_TEXT(
            "c.axes") ", '') AS variant, c.n, c.params,"
                      " v.model_bytes, c.macs, c.val_top1, c.val_top5, c.test_top1, c.test_top5, c.train_s"
                      " FROM curve c JOIN variant v ON v.id = c.variant_id WHERE c.n > 0 AND c.sweep = '");
    for (const char *c = sweep; *c; c++) {
        if (*c == '\'')
            strbuf_putc(&sql, '\'');
        strbuf_putc(&sql, *c);
    }
    strbuf_putc(&sql, '\'');
    enum status st =
        sql.failed ? err_set(e, ST_NOMEM, "out of memory") : store_query_open(s, sql.text, out, e);
    strbuf_release(&sql);
    return st;
}

/* An epoch of a trial: three passes over the training images and one over the validation images. */
#define EPOCH_OPERATIONS "v.macs * (3.0 * i.train_images + i.val_images)"

/* What a search takes is not known before its rungs are decided: of the trials that wait for a decision the
 * share 1 / eta goes on in each rung to come, with eta times as many epochs. So all of them together take as
 * long in a later rung as in the one that is being trained: `pace` epochs each, on average. */
#define PACE                                                                                            \
    " decided AS (SELECT sweep_id, coalesce(min(iif(rank IS NULL AND rung < rungs, rung, NULL)),"       \
    "  max(rungs)) AS now FROM rung WHERE in_spec GROUP BY sweep_id),"                                  \
    " pace AS (SELECT sweep_id, now, max(c.epochs) AS epochs FROM decided JOIN rung r USING (sweep_id)" \
    "  JOIN trial t ON t.id = r.trial_id JOIN recipe c ON c.id = t.recipe_id"                           \
    "  WHERE r.in_spec AND r.rung = now GROUP BY sweep_id),"                                            \
    " waiting AS (SELECT r.trial_id, min(p.epochs) AS epochs FROM rung r JOIN pace p USING (sweep_id)"  \
    "  WHERE r.in_spec AND r.rung > p.now GROUP BY r.trial_id),"

enum status summary_left(struct store *s, struct store_query **out, struct err *e)
{
    return store_query_open(s,
                            "WITH images AS (SELECT data_fingerprint, max(train_images) AS train_images, "
                            "max(val_images) AS val_images"
                            "  FROM sweep GROUP BY data_fingerprint)," PACE
                            " named AS (SELECT trial_id FROM block_trial WHERE in_spec"
                            "  UNION SELECT trial_id FROM rung WHERE in_spec),"
                            " work AS (SELECT t.state, " EPOCH_OPERATIONS " AS one, t.epochs_done,"
                            "  iif(t.state IN ('pending', 'running'), max(0, iif(t.state = 'pending', "
                            "coalesce(w.epochs, r.epochs), r.epochs) - t.epochs_done), 0) AS left,"
                            "  t.train_s + t.eval_s AS seconds FROM named n JOIN trial t ON t.id = n.trial_id"
                            "  JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id"
                            "  JOIN images i ON i.data_fingerprint = t.data_fingerprint"
                            "  LEFT JOIN waiting w ON w.trial_id = t.id)"
                            " SELECT count(*), coalesce(sum(state NOT IN ('pending', 'running')), 0),"
                            "  coalesce(sum(state = 'pending'), 0), coalesce(sum(state = 'running'), 0),"
                            "  total(one * left), coalesce(max(one * left), 0.0),"
                            "  sum(iif(seconds > 0, one * epochs_done, 0)) / nullif(sum(iif(seconds > 0, "
                            "seconds, 0)), 0) FROM work",
                            out, e);
}
