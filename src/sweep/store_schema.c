/* The schema, version 4, and the ways to it from older ones. docs/schema.md describes it for people: change
 * both together. */
#include <string.h>

#include "sweep/store_internal.h"

static const char tables_of_sweeps[] =
    "CREATE TABLE sweep("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE,"
    " spec_path TEXT NOT NULL,"
    " spec_text TEXT NOT NULL,"
    " data_format TEXT NOT NULL,"
    " data_path TEXT NOT NULL,"
    " data_fingerprint TEXT NOT NULL,"
    " image_c INTEGER NOT NULL,"
    " image_h INTEGER NOT NULL,"
    " image_w INTEGER NOT NULL,"
    " classes INTEGER NOT NULL,"
    " train_images INTEGER NOT NULL,"
    " val_images INTEGER NOT NULL,"
    " test_images INTEGER NOT NULL,"
    " skipped_images INTEGER NOT NULL,"
    " tool_version TEXT NOT NULL,"
    " created_utc TEXT NOT NULL,"
    " updated_utc TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE block("
    " id INTEGER PRIMARY KEY,"
    " sweep_id INTEGER NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,"
    " name TEXT NOT NULL,"
    " position INTEGER NOT NULL,"
    " UNIQUE(sweep_id, name)"
    ") STRICT;"
    /* One trial can be two points of one block: two axis values may round to the same layers. */
    "CREATE TABLE block_trial("
    " block_id INTEGER NOT NULL REFERENCES block(id) ON DELETE CASCADE,"
    " trial_id INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,"
    " axes TEXT NOT NULL CHECK(json_valid(axes)),"
    " position INTEGER NOT NULL,"
    " in_spec INTEGER NOT NULL CHECK(in_spec IN (0, 1)),"
    " PRIMARY KEY(block_id, trial_id, axes)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX block_trial_by_trial ON block_trial(trial_id);";

static const char tables_of_variants[] =
    "CREATE TABLE variant("
    " id INTEGER PRIMARY KEY,"
    " arch_hash TEXT NOT NULL UNIQUE,"
    " input_c INTEGER NOT NULL,"
    " input_h INTEGER NOT NULL,"
    " input_w INTEGER NOT NULL,"
    " classes INTEGER NOT NULL,"
    " conv1_filters INTEGER NOT NULL,"
    " conv1_kernel INTEGER NOT NULL,"
    " conv1_stride INTEGER NOT NULL,"
    " conv1_pad INTEGER NOT NULL,"
    " pools TEXT NOT NULL,"
    " pool_floor INTEGER NOT NULL CHECK(pool_floor IN (0, 1)),"
    " bypass TEXT NOT NULL,"
    " conv10_relu INTEGER NOT NULL CHECK(conv10_relu IN (0, 1)),"
    " conv10_pad INTEGER NOT NULL,"
    " base_e INTEGER,"
    " incr_e INTEGER,"
    " freq INTEGER,"
    " sr REAL,"
    " pct3x3 REAL,"
    " realised_sr REAL NOT NULL,"
    " realised_pct3x3 REAL NOT NULL,"
    " params INTEGER NOT NULL,"
    " model_bytes INTEGER NOT NULL,"
    " model_bytes_8bit INTEGER NOT NULL,"
    " model_bytes_6bit INTEGER NOT NULL,"
    " macs INTEGER NOT NULL,"
    " activation_bytes INTEGER NOT NULL,"
    " train_activation_bytes INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE fire("
    " variant_id INTEGER NOT NULL REFERENCES variant(id) ON DELETE CASCADE,"
    " fire INTEGER NOT NULL CHECK(fire BETWEEN 2 AND 9),"
    " s1x1 INTEGER NOT NULL,"
    " e1x1 INTEGER NOT NULL,"
    " e3x3 INTEGER NOT NULL,"
    " s1x1_clamped INTEGER NOT NULL CHECK(s1x1_clamped IN (0, 1)),"
    " params INTEGER NOT NULL,"
    " PRIMARY KEY(variant_id, fire)"
    ") STRICT, WITHOUT ROWID;";

static const char tables_of_trials[] =
    "CREATE TABLE recipe("
    " id INTEGER PRIMARY KEY,"
    " recipe_hash TEXT NOT NULL UNIQUE,"
    " epochs INTEGER NOT NULL,"
    " batch INTEGER NOT NULL,"
    " accumulate INTEGER NOT NULL,"
    " optimizer TEXT NOT NULL,"
    " momentum REAL NOT NULL,"
    " nesterov INTEGER NOT NULL CHECK(nesterov IN (0, 1)),"
    " beta1 REAL NOT NULL,"
    " beta2 REAL NOT NULL,"
    " epsilon REAL NOT NULL,"
    " lr REAL NOT NULL,"
    " schedule TEXT NOT NULL,"
    " warmup REAL NOT NULL,"
    " weight_decay REAL NOT NULL,"
    " decay_biases INTEGER NOT NULL CHECK(decay_biases IN (0, 1)),"
    " clip REAL NOT NULL,"
    " smoothing REAL NOT NULL,"
    " dropout REAL NOT NULL,"
    " init TEXT NOT NULL,"
    " flip INTEGER NOT NULL CHECK(flip IN (0, 1)),"
    " crop_pad INTEGER NOT NULL,"
    " crop_zero INTEGER NOT NULL CHECK(crop_zero IN (0, 1)),"
    " lanes INTEGER NOT NULL,"
    " winograd INTEGER NOT NULL CHECK(winograd IN (0, 1)),"
    " numerics TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE trial("
    " id INTEGER PRIMARY KEY,"
    " variant_id INTEGER NOT NULL REFERENCES variant(id),"
    " recipe_id INTEGER NOT NULL REFERENCES recipe(id),"
    " data_fingerprint TEXT NOT NULL,"
    " seed INTEGER NOT NULL,"
    " state TEXT NOT NULL CHECK(state IN ('pending', 'running', 'done', 'diverged', 'failed', 'timed_out',"
    "  'pruned', 'skipped')),"
    " skip_reason TEXT,"
    " message TEXT,"
    " diverged_step INTEGER,"
    " epochs_done INTEGER NOT NULL DEFAULT 0,"
    " val_count INTEGER,"
    " val_loss REAL,"
    " val_top1 REAL,"
    " val_top5 REAL,"
    " test_count INTEGER,"
    " test_loss REAL,"
    " test_top1 REAL,"
    " test_top5 REAL,"
    " train_s REAL,"
    " eval_s REAL,"
    " checkpoint TEXT,"
    " UNIQUE(variant_id, recipe_id, data_fingerprint, seed)"
    ") STRICT;"
    "CREATE INDEX trial_by_recipe ON trial(recipe_id);"
    "CREATE INDEX trial_by_state ON trial(state);"
    "CREATE TABLE attempt("
    " id INTEGER PRIMARY KEY,"
    " trial_id INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,"
    " number INTEGER NOT NULL,"
    " pid INTEGER NOT NULL,"
    " host TEXT NOT NULL,"
    " threads INTEGER NOT NULL,"
    " isa TEXT NOT NULL,"
    " started_utc TEXT NOT NULL,"
    " ended_utc TEXT,"
    " outcome TEXT,"
    " message TEXT,"
    " wall_s REAL,"
    " cpu_s REAL,"
    " peak_rss_bytes INTEGER,"
    " UNIQUE(trial_id, number)"
    ") STRICT;"
    "CREATE TABLE epoch("
    " trial_id INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,"
    " epoch INTEGER NOT NULL CHECK(epoch >= 1),"
    " lr REAL,"
    " train_loss REAL,"
    " train_top1 REAL,"
    " val_count INTEGER NOT NULL,"
    " val_loss REAL,"
    " val_top1 REAL,"
    " val_top5 REAL,"
    " train_s REAL,"
    " eval_s REAL,"
    " PRIMARY KEY(trial_id, epoch)"
    ") STRICT, WITHOUT ROWID;";

/* New in version 2. */
static const char tables_of_runs[] = "CREATE TABLE lease("
                                     " trial_id INTEGER PRIMARY KEY REFERENCES trial(id) ON DELETE CASCADE,"
                                     " attempt_id INTEGER NOT NULL REFERENCES attempt(id) ON DELETE CASCADE,"
                                     " host TEXT NOT NULL,"
                                     " place TEXT NOT NULL,"
                                     " run_pid INTEGER NOT NULL,"
                                     " run_start INTEGER NOT NULL,"
                                     " worker_pid INTEGER NOT NULL,"
                                     " worker_start INTEGER NOT NULL,"
                                     " beat INTEGER NOT NULL DEFAULT 0"
                                     ") STRICT;"
                                     "CREATE TABLE event("
                                     " id INTEGER PRIMARY KEY,"
                                     " trial_id INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,"
                                     " attempt_id INTEGER REFERENCES attempt(id) ON DELETE CASCADE,"
                                     " at_utc TEXT NOT NULL,"
                                     " text TEXT NOT NULL"
                                     ") STRICT;";
static const char indexes_of_runs[] = "CREATE INDEX lease_by_attempt ON lease(attempt_id);"
                                      "CREATE INDEX event_by_trial ON event(trial_id);"
                                      "CREATE INDEX event_by_attempt ON event(attempt_id);";

/* New in version 3. */
static const char tables_of_deployment[] =
    "CREATE TABLE deployment("
    " variant_id INTEGER PRIMARY KEY REFERENCES variant(id) ON DELETE CASCADE,"
    " latency_ms REAL NOT NULL,"
    " latency_p95_ms REAL NOT NULL,"
    " repetitions INTEGER NOT NULL,"
    " infer_img_s REAL NOT NULL,"
    " tile INTEGER NOT NULL,"
    " infer_bytes INTEGER NOT NULL,"
    " infer_activation_bytes INTEGER NOT NULL,"
    " winograd INTEGER NOT NULL CHECK(winograd IN (0, 1)),"
    " cpu_share REAL,"
    " isa TEXT NOT NULL,"
    " host TEXT NOT NULL,"
    " cpu TEXT NOT NULL,"
    " tool_version TEXT NOT NULL,"
    " measured_utc TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE rung("
    " sweep_id INTEGER NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,"
    " trial_id INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,"
    " rung INTEGER NOT NULL CHECK(rung >= 1),"
    " rungs INTEGER NOT NULL CHECK(rungs >= rung),"
    " full_trial_id INTEGER NOT NULL REFERENCES trial(id) ON DELETE CASCADE,"
    " rank INTEGER,"
    " promoted INTEGER CHECK(promoted IN (0, 1)),"
    " in_spec INTEGER NOT NULL CHECK(in_spec IN (0, 1)),"
    " PRIMARY KEY(sweep_id, trial_id)"
    ") STRICT, WITHOUT ROWID;";
static const char indexes_of_deployment[] = "CREATE INDEX rung_by_trial ON rung(trial_id);"
                                            "CREATE INDEX rung_by_full_trial ON rung(full_trial_id);";

/* New in version 4. Older files know only what the block's axes set, and the first request of the variant. */
static const char table_of_points[] = "CREATE TABLE point("
                                      " block_id INTEGER NOT NULL REFERENCES block(id) ON DELETE CASCADE,"
                                      " axes TEXT NOT NULL,"
                                      " base_e INTEGER,"
                                      " incr_e INTEGER,"
                                      " freq INTEGER,"
                                      " sr REAL,"
                                      " pct3x3 REAL,"
                                      " bypass TEXT NOT NULL,"
                                      " pool_floor INTEGER NOT NULL CHECK(pool_floor IN (0, 1)),"
                                      " PRIMARY KEY(block_id, axes)"
                                      ") STRICT, WITHOUT ROWID;";
#define AXIS_OR_VARIANT(axis, column) "coalesce(m.axes ->> '$." axis "', v." column ")"
#define METAPARAMETER(axis, column) \
    "iif(coalesce(m.axes ->> '$.fires', 'derived') = 'derived', " AXIS_OR_VARIANT(axis, column) ", NULL)"
/* clang-format off */
static const char points_of_older[] =
    "INSERT INTO point(block_id, axes, base_e, incr_e, freq, sr, pct3x3, bypass, pool_floor)"
    " SELECT block_id, axes, base_e, incr_e, freq, sr, pct3x3, bypass, pool_floor FROM"
    " (SELECT m.block_id, m.axes, max(m.in_spec), "
    METAPARAMETER("base_e", "base_e") " AS base_e, " METAPARAMETER("incr_e", "incr_e") " AS incr_e, "
    METAPARAMETER("freq", "freq") " AS freq, " METAPARAMETER("SR", "sr") " AS sr, "
    METAPARAMETER("pct3x3", "pct3x3") " AS pct3x3, " AXIS_OR_VARIANT("bypass", "bypass") " AS bypass,"
    "  coalesce(m.axes ->> '$.pool_rounding' = 'floor', v.pool_floor) AS pool_floor"
    "  FROM block_trial m JOIN trial t ON t.id = m.trial_id JOIN variant v ON v.id = t.variant_id"
    "  GROUP BY m.block_id, m.axes);";
/* clang-format on */

/* What makes version i + 2 of version i + 1. Tables and columns are only added, so that older readers of this
 * program's line and newer ones understand each other's files. Indexes stand apart: readers of older files
 * have the tables as temporary ones. */
static const struct {
    const char *tables, *indexes;
    const char *rows; /* made of what an older file has */
} steps[STORE_SCHEMA_VERSION - 1] = {{tables_of_runs, indexes_of_runs, ""},
                                     {tables_of_deployment, indexes_of_deployment, ""},
                                     {table_of_points, "", points_of_older}};

/* Metaparameters are those that the point asked for. */
/* clang-format off */
static const char view_curve[] =
    "CREATE VIEW curve AS"
    " WITH member AS (SELECT s.id AS sweep_id, s.name AS sweep, b.id AS block_id, b.name AS block,"
    "  b.position AS block_position, m.position AS position, m.axes AS axes, t.variant_id, t.recipe_id,"
    "  p.base_e, p.incr_e, p.freq, p.sr, p.pct3x3, v.realised_sr, v.realised_pct3x3, p.bypass, v.pools,"
    "  v.params, v.model_bytes, v.macs, v.activation_bytes, d.latency_ms, d.latency_p95_ms, d.infer_img_s,"
    "  d.infer_bytes, t.state = 'done' AS done,"
    "  iif(t.state = 'done', t.val_top1, NULL) AS val_top1,"
    "  iif(t.state = 'done', t.val_top5, NULL) AS val_top5,"
    "  iif(t.state = 'done', t.test_top1, NULL) AS test_top1,"
    "  iif(t.state = 'done', t.test_top5, NULL) AS test_top5,"
    "  iif(t.state = 'done', t.train_s, NULL) AS train_s"
    "  FROM block_trial m JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id"
    "  LEFT JOIN point p ON p.block_id = m.block_id AND p.axes = m.axes"
    "  JOIN trial t ON t.id = m.trial_id JOIN variant v ON v.id = t.variant_id"
    "  LEFT JOIN deployment d ON d.variant_id = t.variant_id WHERE m.in_spec)"
    " SELECT sweep, block, min(position) AS position, axes, variant_id, recipe_id, base_e, incr_e, freq, sr,"
    "  pct3x3, realised_sr, realised_pct3x3, bypass, pools, params, model_bytes / 1048576.0 AS model_mib, macs,"
    "  activation_bytes / 1048576.0 AS activation_mib, latency_ms, latency_p95_ms, infer_img_s,"
    "  infer_bytes / 1048576.0 AS infer_mib, count(*) AS trials, sum(done) AS n,"
    "  avg(val_top1) AS val_top1, min(val_top1) AS val_top1_min, max(val_top1) AS val_top1_max,"
    "  " STORE_STDDEV("val_top1") " AS val_top1_stddev, avg(val_top5) AS val_top5,"
    "  avg(test_top1) AS test_top1, min(test_top1) AS test_top1_min, max(test_top1) AS test_top1_max,"
    "  " STORE_STDDEV("test_top1") " AS test_top1_stddev, avg(test_top5) AS test_top5,"
    "  avg(train_s) AS train_s"
    " FROM member GROUP BY sweep_id, block_id, axes ORDER BY sweep_id, block_position, min(position);";
/* clang-format on */

/* What the first point of a trial asked for, in a shorter rung that of its full trial; of a trial that no
 * spec names any more, what its variant was first asked for as. */
/* clang-format off */
#define ASKED(column) "iif(p.block_id IS NULL, v." column ", p." column ") AS " column
static const char view_asked[] =
    "CREATE VIEW asked AS"
    " SELECT t.id AS trial_id, " ASKED("base_e") ", " ASKED("incr_e") ", " ASKED("freq") ", " ASKED("sr") ", "
    ASKED("pct3x3") ", " ASKED("bypass") ", " ASKED("pool_floor")
    " FROM trial t JOIN variant v ON v.id = t.variant_id LEFT JOIN point p ON (p.block_id, p.axes) ="
    " (SELECT m.block_id, m.axes FROM block_trial m JOIN block b ON b.id = m.block_id"
    "  WHERE m.trial_id = coalesce((SELECT r.full_trial_id FROM rung r WHERE r.trial_id = t.id AND r.in_spec"
    "   AND r.rung < r.rungs LIMIT 1), t.id)"
    "  AND m.in_spec ORDER BY b.sweep_id, b.position, m.position LIMIT 1);";
/* clang-format on */

static const char views_of_results[] =
    "CREATE VIEW leaderboard AS"
    " WITH member AS (SELECT DISTINCT b.sweep_id, m.trial_id FROM block_trial m JOIN block b ON b.id = "
    "m.block_id"
    "  WHERE m.in_spec),"
    " result AS (SELECT m.sweep_id, t.variant_id, t.recipe_id, count(*) AS n, avg(t.val_top1) AS val_top1,"
    "  avg(t.val_top5) AS val_top5, avg(t.test_top1) AS test_top1, avg(t.test_top5) AS test_top5,"
    "  avg(t.train_s) AS train_s FROM trial t JOIN member m ON m.trial_id = t.id WHERE t.state = 'done'"
    "  GROUP BY m.sweep_id, t.variant_id, t.recipe_id)"
    " SELECT s.name AS sweep, row_number() OVER (PARTITION BY s.id ORDER BY coalesce(r.val_top1, "
    "r.test_top1) DESC,"
    "  v.model_bytes, v.id, r.recipe_id) AS rank, r.variant_id, r.recipe_id, v.base_e, v.incr_e, v.freq, "
    "v.sr,"
    "  v.pct3x3, v.bypass, v.pools, v.params, v.model_bytes / 1048576.0 AS model_mib, v.macs, r.n, "
    "r.val_top1,"
    "  r.val_top5, r.test_top1, r.test_top5, r.train_s, d.latency_ms, d.latency_p95_ms, d.infer_img_s,"
    "  d.infer_bytes / 1048576.0 AS infer_mib"
    " FROM result r JOIN sweep s ON s.id = r.sweep_id JOIN variant v ON v.id = r.variant_id"
    " LEFT JOIN deployment d ON d.variant_id = r.variant_id ORDER BY s.id, rank;"
    /* Kept: more accurate than everything smaller, and as accurate as the best of its own size. */
    "CREATE VIEW pareto AS"
    " WITH scored AS (SELECT *, coalesce(val_top1, test_top1) AS score FROM leaderboard),"
    " compared AS (SELECT *, max(score) OVER (PARTITION BY sweep, model_mib) AS best_of_size,"
    "  max(score) OVER (PARTITION BY sweep ORDER BY model_mib GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 "
    "PRECEDING)"
    "  AS best_of_smaller FROM scored)"
    " SELECT sweep, rank, variant_id, recipe_id, base_e, incr_e, freq, sr, pct3x3, bypass, pools, params, "
    "model_mib,"
    "  macs, n, val_top1, val_top5, test_top1, test_top5, train_s, latency_ms, latency_p95_ms, infer_img_s,"
    "  infer_mib FROM compared"
    " WHERE score = best_of_size AND (best_of_smaller IS NULL OR score > best_of_smaller)"
    " ORDER BY sweep, model_mib, rank;"
    "CREATE VIEW progress AS"
    " SELECT t.id AS trial_id, t.epochs_done, r.epochs, e.lr, e.train_loss, e.train_top1, e.val_loss, "
    "e.val_top1,"
    "  e.train_s AS epoch_train_s, e.eval_s AS epoch_eval_s, a.number AS attempt, a.started_utc, a.host, "
    "a.pid,"
    "  a.threads FROM trial t JOIN recipe r ON r.id = t.recipe_id"
    " LEFT JOIN epoch e ON e.trial_id = t.id AND e.epoch = t.epochs_done"
    " LEFT JOIN attempt a ON a.trial_id = t.id AND a.ended_utc IS NULL WHERE t.state = 'running' ORDER BY "
    "t.id;"
    "CREATE VIEW metrics AS"
    " SELECT v.arch_hash, r.recipe_hash, t.data_fingerprint, t.seed, t.state, t.skip_reason, t.diverged_step,"
    "  t.epochs_done, t.val_count, t.val_loss, t.val_top1, t.val_top5, t.test_count, t.test_loss, "
    "t.test_top1,"
    "  t.test_top5, e.epoch, e.lr AS epoch_lr, e.train_loss AS epoch_train_loss, e.train_top1 AS "
    "epoch_train_top1,"
    "  e.val_count AS epoch_val_count, e.val_loss AS epoch_val_loss, e.val_top1 AS epoch_val_top1,"
    "  e.val_top5 AS epoch_val_top5"
    " FROM trial t JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id"
    " LEFT JOIN epoch e ON e.trial_id = t.id"
    " ORDER BY v.arch_hash, r.recipe_hash, t.data_fingerprint, t.seed, e.epoch;";

static const char *const views[] = {view_curve, view_asked, views_of_results};
/* Those that a database of any older version has, in an order in which none needs another that is gone. */
static const char drop_views[] =
    "DROP VIEW IF EXISTS pareto; DROP VIEW IF EXISTS leaderboard;"
    "DROP VIEW IF EXISTS curve; DROP VIEW IF EXISTS asked; DROP VIEW IF EXISTS progress;"
    "DROP VIEW IF EXISTS metrics;";

/* Version marks come last. */
static enum status set_marks(struct store *s, const char *doing, struct err *e)
{
    char marks[96];
    sqlite3_snprintf(sizeof marks, marks, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                     STORE_APPLICATION_ID, STORE_SCHEMA_VERSION);
    return store_exec(s, marks, doing, e);
}

static enum status execute(struct store *s, const char *const *parts, size_t count, const char *doing,
                           struct err *e)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = store_exec(s, parts[i], doing, e);
    return status;
}

/* The steps from a version on, and the views, which hold nothing and are made anew. */
static enum status take_steps(struct store *s, int64_t from, const char *doing, struct err *e)
{
    enum status status = ST_OK;
    for (int64_t i = from - 1; i < STORE_SCHEMA_VERSION - 1 && status == ST_OK; i++) {
        const char *const parts[] = {steps[i].tables, steps[i].indexes, steps[i].rows};
        status = execute(s, parts, sizeof parts / sizeof *parts, doing, e);
    }
    return status == ST_OK ? execute(s, views, sizeof views / sizeof *views, doing, e) : status;
}

enum status store_schema_create(struct store *s, struct err *e)
{
    static const char doing[] = "cannot create the schema";
    const char *const parts[] = {tables_of_sweeps, tables_of_variants, tables_of_trials};
    enum status status = execute(s, parts, sizeof parts / sizeof *parts, doing, e);
    if (status == ST_OK)
        status = take_steps(s, 1, doing, e);
    return status == ST_OK ? set_marks(s, doing, e) : status;
}

enum status store_schema_upgrade(struct store *s, int64_t from, struct err *e)
{
    static const char doing[] = "cannot bring the schema up to date";
    enum status status = store_exec(s, drop_views, doing, e);
    if (status == ST_OK)
        status = take_steps(s, from, doing, e);
    return status == ST_OK ? set_marks(s, doing, e) : status;
}

/* Statements with every CREATE made a CREATE TEMP. */
static enum status execute_temporary(struct store *s, const char *sql, const char *doing, struct err *e)
{
    static const char create[] = "CREATE ";
    struct strbuf text = STRBUF_INIT;
    for (const char *at = sql, *next; *at; at = next) {
        next = strstr(at + 1, create);
        next = next ? next : at + strlen(at);
        strbuf_printf(&text, "%sTEMP %.*s", create, (int)(next - at) - (int)strlen(create),
                      at + strlen(create));
    }
    enum status status =
        text.failed ? store_error(s, SQLITE_NOMEM, doing, e) : store_exec(s, text.text, doing, e);
    strbuf_release(&text);
    return status;
}

enum status store_schema_emulate(struct store *s, int64_t from, struct err *e)
{
    static const char doing[] = "cannot read an older schema";
    enum status status = store_exec(s, "PRAGMA query_only = OFF; PRAGMA temp_store = MEMORY;", doing, e);
    for (int64_t i = from - 1; i < STORE_SCHEMA_VERSION - 1 && status == ST_OK; i++)
        status = execute_temporary(s, steps[i].tables, doing, e);
    for (int64_t i = from - 1; i < STORE_SCHEMA_VERSION - 1 && status == ST_OK; i++)
        status = store_exec(s, steps[i].rows, doing, e);
    for (size_t i = 0; i < sizeof views / sizeof *views && status == ST_OK; i++)
        status = execute_temporary(s, views[i], doing, e);
    return status == ST_OK ? store_exec(s, "PRAGMA query_only = ON;", doing, e) : status;
}
