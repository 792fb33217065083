/* firesweep run: trains what a sweep asks for, and shows how it goes. */
#include <math.h>
#include <signal.h>
#include <stdio.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/run_display.h"
#include "cli/shell_word.h"
#include "metamodel/cost.h"
#include "report/plot.h"
#include "report/summary.h"
#include "sweep/hook.h"
#include "sweep/run.h"

enum { OPTION_DB = OPTION_OWN, OPTION_WORKERS };

static const struct poptOption options[] = {
    {"db", '\0', POPT_ARG_STRING, NULL, OPTION_DB,
     "Results database (default: results/NAME.db, NAME from the spec)", "FILE"},
    {"workers", '\0', POPT_ARG_STRING, NULL, OPTION_WORKERS,
     "Trials trained at a time (default: as in the spec)", "N"},
    {"threads", '\0', POPT_ARG_STRING, NULL, OPTION_THREADS, "Threads of each (default: as in the spec)",
     "N"},
    OUTPUT_FORMAT_OPTION,
    POPT_TABLEEND};

/* Results */

struct results {
    struct store *store;
    const char *sweep;
};

static const struct table_column result_columns[] = {
    {.name = "block", .flags = TABLE_NOT_TEXT},
    {.name = "variant"},
    {.name = "n", .title = "seeds"},
    {.name = "params", .title = "params"},
    {.name = "model_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "MiB", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "macs", .flags = TABLE_NOT_TEXT},
    {.name = "million MACs", .decimals = 1, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "val_top1", .flags = TABLE_NOT_TEXT},
    {.name = "val_top5", .flags = TABLE_NOT_TEXT},
    {.name = "test_top1", .flags = TABLE_NOT_TEXT},
    {.name = "test_top5", .flags = TABLE_NOT_TEXT},
    {.name = "val top-1 %", .decimals = 2, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "val top-5 %", .decimals = 2, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "test top-1 %", .decimals = 2, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "test top-5 %", .decimals = 2, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "train_s", .title = "train s"},
};

static struct cell scaled(struct cell c, double factor)
{
    if (c.type == CELL_INT)
        return cell_real((double)c.i * factor);
    return c.type == CELL_REAL ? cell_real(c.r * factor) : c;
}

/* Columns of summary_results. */
enum {
    BLOCK,
    VARIANT,
    SEEDS,
    PARAMS,
    MODEL_BYTES,
    MACS,
    VAL_TOP1,
    VAL_TOP5,
    TEST_TOP1,
    TEST_TOP5,
    TRAIN_S,
    RESULT_COLUMNS
};

static enum status result_row(const struct store_query *q, struct table *t, struct err *e)
{
    struct cell c[RESULT_COLUMNS];
    for (int i = 0; i < RESULT_COLUMNS; i++)
        c[i] = store_query_cell(q, i);
    const struct cell cells[] = {
        c[BLOCK],
        c[VARIANT],
        c[SEEDS],
        c[PARAMS],
        c[MODEL_BYTES],
        scaled(c[MODEL_BYTES], 1 / MIB),
        c[MACS],
        scaled(c[MACS], 1e-6),
        c[VAL_TOP1],
        c[VAL_TOP5],
        c[TEST_TOP1],
        c[TEST_TOP5],
        scaled(c[VAL_TOP1], 100),
        scaled(c[VAL_TOP5], 100),
        scaled(c[TEST_TOP1], 100),
        scaled(c[TEST_TOP5], 100),
        c[TRAIN_S],
    };
    return table_row(t, cells, e);
}

static enum status result_rows(const void *context, struct table *t, struct err *e)
{
    const struct results *r = context;
    struct store_query *q = NULL;
    bool row = true;
    enum status st = summary_results(r->store, r->sweep, &q, e);
    while (st == ST_OK && row) {
        st = store_query_next(q, &row, e);
        if (st == ST_OK && row)
            st = result_row(q, t, e);
    }
    store_query_close(q);
    return st;
}

static enum status print_results(const struct output *o, const char *db, const struct spec *spec,
                                 struct err *e)
{
    static const struct section section = {
        .name = "results", SECTION_COLUMNS(result_columns), .rows = result_rows};
    struct results r = {.sweep = spec->name};
    enum status st = store_open_readonly(db, &r.store, e);
    if (st == ST_OK)
        st = output_single(o, &section, &r, e);
    store_close(r.store);
    return st;
}

/* `db` is a word of a shell. */
static void print_next_steps(const struct run_result *result, bool failed, const char *db, const char *again)
{
    fprintf(stderr, "\n%d of %d trial%s done", result->done, result->total, result->total == 1 ? "" : "s");
    if (result->diverged > 0)
        fprintf(stderr, ", %d diverged", result->diverged);
    if (result->failed > 0)
        fprintf(stderr, ", %d failed", result->failed);
    if (result->timed_out > 0)
        fprintf(stderr, ", %d timed out", result->timed_out);
    if (result->skipped > 0)
        fprintf(stderr, ", %d skipped", result->skipped);
    if (result->pruned > 0)
        fprintf(stderr, ", %d pruned by the search", result->pruned);
    fprintf(stderr, "; results are in %s\n", db);
    if (result->interrupted || result->pending > 0)
        fprintf(stderr, "  %s    continues where this run stopped\n", again);
    if (failed || result->failed + result->diverged + result->timed_out > 0)
        fprintf(stderr, "  firesweep status %s    says what failed and why\n", db);
    if (result->done > 0)
        fprintf(stderr, "  firesweep query %s leaderboard\n  firesweep plot %s\n", db, db);
}

/* The sweep */

static void run_hook(const struct spec *spec, const char *db, enum status st, const char *message,
                     const struct run_result *result)
{
    struct err hook = ERR_INIT;
    if (hook_run(spec, db, st, message, result, &hook) != ST_OK) {
        fputs("firesweep: run: ", stderr);
        table_print_escaped(stderr, hook.text);
        fputc('\n', stderr);
    }
}

/* The hook comes first: what follows may have to wait until somebody reads it. */
static enum status run_and_tell(const struct spec *spec, const struct run_config *config, const char *db,
                                struct run_result *result, struct err *e)
{
    struct run_display display;
    run_display_init(&display, spec);
    struct run_observer observer = run_display_observer(&display);
    enum status st = run_sweep(spec, config, &observer, result, e);
    if (st == ST_CORRUPT)
        st = database_failure(db, st, e);
    run_display_end(&display);
    if (result->total > 0 && file_exists(db))
        run_hook(spec, db, st, st == ST_OK ? "" : e->text, result);
    run_display_release(&display);
    return st;
}

enum status run_spec(const struct spec *spec, const struct run_config *config, const char *again,
                     const struct output *o, struct err *e)
{
    struct run_result result = {0};
    char *db = run_database_path(spec, config->db);
    if (!db)
        return err_set(e, ST_NOMEM, "out of memory");
    enum status st = run_and_tell(spec, config, db, &result, e);
    if (result.total > 0 && file_exists(db)) {
        struct err printing = ERR_INIT;
        bool nothing = result.done == 0 && o->format == TABLE_TEXT;
        enum status printed = nothing ? ST_OK : print_results(o, db, spec, &printing);
        if (st == ST_OK && printed != ST_OK) {
            st = printed;
            *e = printing;
        }
        fflush(stdout);
        char *word = shell_word(db);
        if (word)
            print_next_steps(&result, st == ST_FAILED, word, again);
        mem_free(word);
    }
    mem_free(db);
    return st;
}

/* The command that continues; NULL: no memory. */
static char *run_again(const char *spec, const struct run_config *config)
{
    char workers[32] = "", threads[32] = "";
    const char *db = config->db;
    if (config->workers > 0)
        snprintf(workers, sizeof workers, " --workers %d", config->workers);
    if (config->threads > 0)
        snprintf(threads, sizeof threads, " --threads %d", config->threads);
    char *spec_word = shell_word(spec), *db_word = shell_word(db ? db : "");
    char *again = spec_word && db_word ? mem_printf("firesweep run %s%s%s%s%s", spec_word, db ? " --db " : "",
                                                    db ? db_word : "", workers, threads)
                                       : NULL;
    mem_free(spec_word);
    mem_free(db_word);
    return again;
}

static enum status run_run(const struct args *a, struct err *e)
{
    struct output o;
    struct run_config config = {.db = a->value[OPTION_DB]};
    enum status st = output_init(&o, a, e);
    if (st == ST_OK)
        st = args_int(a, OPTION_WORKERS, "--workers", 1, RUN_MAX_WORKERS, &config.workers, e);
    if (st == ST_OK)
        st = args_int(a, OPTION_THREADS, "--threads", 1, CPU_MAX, &config.threads, e);
    if (st != ST_OK)
        return err_prefix(e, "run");
    /* A closed pipe behind the display must not end the sweep. */
    signal(SIGPIPE, SIG_IGN);
    struct spec spec;
    st = spec_load(a->positional[0], &spec, e);
    if (st == ST_OK)
        st = plot_check(&spec, e);
    char *again = run_again(a->positional[0], &config);
    if (st == ST_OK && !again)
        st = err_set(e, ST_NOMEM, "out of memory");
    if (st == ST_OK)
        st = run_spec(&spec, &config, again, &o, e);
    mem_free(again);
    spec_release(&spec);
    return st;
}

const struct command command_run = {
    .name = "run",
    .summary = "Train and evaluate what a sweep asks for; continues where it stopped",
    .positionals = "SPEC",
    .positional_min = 1,
    .positional_max = 1,
    .description =
        "Trains every trial of the spec that the database does not hold yet, and prints the "
        "results. Ctrl-C stops after the current step with everything saved; the same command "
        "continues, and ends with the same results as an uninterrupted run. Progress goes to "
        "standard error, results to standard output. The exit status is 1 when a trial failed or timed "
        "out, or when something is left to train.",
    .examples = "  firesweep run experiments/quickstart.yaml\n"
                "  firesweep run sweep.yaml --db /data/sweep.db --workers 4 --threads 2\n"
                "  firesweep run sweep.yaml --format csv > results.csv\n",
    .options = options,
    .run = run_run,
};
