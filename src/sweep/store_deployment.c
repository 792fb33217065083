#include "sweep/store_deployment.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "sweep/store_internal.h"

static const char reading[] = "cannot read what is to be measured", writing[] = "cannot record a measurement";

/* Trials of lower rungs of a search are named by `rung` alone. */
static const char finished_sql[] =
    "SELECT min(t.id) FROM trial t WHERE t.state = 'done'"
    " AND (?1 = 0 OR t.id IN (SELECT m.trial_id FROM block_trial m JOIN block b ON b.id = m.block_id"
    "  WHERE b.sweep_id = ?1 AND m.in_spec"
    "  UNION SELECT r.trial_id FROM rung r WHERE r.sweep_id = ?1 AND r.in_spec))"
    " AND (?2 OR NOT EXISTS (SELECT 1 FROM deployment d WHERE d.variant_id = t.variant_id))"
    " GROUP BY t.variant_id ORDER BY t.variant_id";

enum status store_finished_variants(struct store *s, const char *sweep, enum measured measured,
                                    int64_t **trials, int *count, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    int64_t sweep_id = 0;
    int room = 0, code = SQLITE_DONE;
    *trials = NULL;
    *count = 0;
    enum status status = sweep ? store_sweep_id(s, sweep, &sweep_id, e) : ST_OK;
    if (status == ST_OK)
        status = store_prepare(s, finished_sql, &statement, reading, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, sweep_id);
        sqlite3_bind_int(statement, 2, measured == MEASURED_ANY);
    }
    while (status == ST_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (*count == room) {
            room = room * 2 + 64;
            int64_t *more = mem_realloc(*trials, (size_t)room, sizeof *more);
            if (!more) {
                status = store_error(s, SQLITE_NOMEM, reading, e);
                break;
            }
            *trials = more;
        }
        (*trials)[(*count)++] = sqlite3_column_int64(statement, 0);
    }
    if (status == ST_OK && code != SQLITE_DONE)
        status = store_error(s, code, reading, e);
    sqlite3_finalize(statement);
    return status;
}

static void measurement_row(const struct inference_speed *speed, bool winograd, const char *host,
                            const char *cpu, struct row *row)
{
    row_real(row, "latency_ms", speed->latency_ms);
    row_real(row, "latency_p95_ms", speed->latency_p95_ms);
    row_int(row, "repetitions", speed->repetitions);
    row_real(row, "infer_img_s", speed->images_per_s);
    row_int(row, "tile", speed->tile);
    row_int(row, "infer_bytes", speed->memory.weight_bytes + speed->memory.activation_bytes);
    row_int(row, "infer_activation_bytes", speed->memory.activation_bytes);
    row_int(row, "winograd", winograd);
    row_real(row, "cpu_share", speed->cpu_share);
    row_text(row, "isa", engine_isa());
    row_text(row, "host", host);
    row_text(row, "cpu", cpu);
    row_text(row, "tool_version", FIRESWEEP_VERSION);
    row_now(row, "measured_utc");
}

enum status store_deployment(struct store *s, int64_t trial, const struct inference_speed *speed,
                             bool winograd, const char *cpu, struct err *e)
{
    char host[256] = "", variant[96];
    struct row row = {0};
    snprintf(variant, sizeof variant, "(SELECT variant_id FROM trial WHERE id = %lld)", (long long)trial);
    if (gethostname(host, sizeof host - 1) != 0)
        snprintf(host, sizeof host, "unknown");
    row.values[row.count++] = (struct row_value){.column = "variant_id", .sql = variant};
    measurement_row(speed, winograd, host, cpu, &row);
    struct inserter rows = {
        "deployment",
        "ON CONFLICT(variant_id) DO UPDATE SET latency_ms = excluded.latency_ms,"
        " latency_p95_ms = excluded.latency_p95_ms, repetitions = excluded.repetitions,"
        " infer_img_s = excluded.infer_img_s, tile = excluded.tile, infer_bytes = excluded.infer_bytes,"
        " infer_activation_bytes = excluded.infer_activation_bytes, winograd = excluded.winograd,"
        " cpu_share = excluded.cpu_share, isa = excluded.isa, host = excluded.host, cpu = excluded.cpu,"
        " tool_version = excluded.tool_version, measured_utc = excluded.measured_utc",
        NULL};
    enum status status = inserter_add(&rows, s, &row, writing, e);
    inserter_release(&rows);
    return status;
}

enum status store_latency(struct store *s, int64_t trial, double *latency_ms, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    *latency_ms = (double)NAN;
    enum status status = store_prepare(s,
                                       "SELECT d.latency_ms FROM deployment d JOIN trial t"
                                       " ON t.variant_id = d.variant_id WHERE t.id = ?1",
                                       &statement, reading, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, trial);
        int code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            *latency_ms = sqlite3_column_double(statement, 0);
        else if (code != SQLITE_DONE)
            status = store_error(s, code, reading, e);
    }
    sqlite3_finalize(statement);
    return status;
}
