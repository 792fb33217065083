/* firesweep extend: more epochs for trials that are done. */
#include <signal.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/shell_word.h"
#include "sweep/changes.h"
#include "sweep/store_trials.h"

enum { OPTION_DB = OPTION_OWN, OPTION_WORKERS, OPTION_EPOCHS, OPTION_SWEEP };

static const struct poptOption options[] = {
    {"epochs", '\0', POPT_ARG_STRING, NULL, OPTION_EPOCHS,
     "Epochs that the trials shall have in all (required)", "N"},
    {"db", '\0', POPT_ARG_STRING, NULL, OPTION_DB,
     "With a SPEC: its results database (default: results/NAME.db, NAME from the spec)", "FILE"},
    {"sweep", '\0', POPT_ARG_STRING, NULL, OPTION_SWEEP, "With a DB of several sweeps: which one", "NAME"},
    {"workers", '\0', POPT_ARG_STRING, NULL, OPTION_WORKERS,
     "Trials trained at a time (default: as in the spec)", "N"},
    {"threads", '\0', POPT_ARG_STRING, NULL, OPTION_THREADS, "Threads of each (default: as in the spec)",
     "N"},
    OUTPUT_FORMAT_OPTION,
    POPT_TABLEEND};

/* A database is told from a spec by its first bytes. */
static bool is_database(const char *path)
{
    static const char magic[] = "SQLite format 3";
    char start[sizeof magic] = "";
    FILE *f = fopen(path, "rb");
    const size_t n = f ? fread(start, 1, sizeof start, f) : 0;
    if (f)
        fclose(f);
    return n == sizeof start && memcmp(start, magic, sizeof magic) == 0;
}

static enum status choose_sweep(const struct known_sweep *sweeps, int count, const char *name, const char *db,
                                const struct known_sweep **out, struct err *e)
{
    *out = NULL;
    for (int i = 0; i < count; i++)
        if (name ? strcmp(name, sweeps[i].name) == 0 : count == 1)
            *out = &sweeps[i];
    if (*out)
        return ST_OK;
    err_set(e, ST_USAGE, "%s holds %d sweeps, name one with --sweep:", db, count);
    for (int i = 0; e && sweeps && i < count; i++) {
        const size_t used = strlen(e->text);
        if (used + strlen(sweeps[i].name) + 2 < sizeof e->text)
            snprintf(e->text + used, sizeof e->text - used, " %s", sweeps[i].name);
    }
    return ST_USAGE;
}

/* The spec as the database recorded it. */
static enum status spec_of_database(const char *db, const char *sweep, struct spec *spec, struct err *e)
{
    struct store *store = NULL;
    struct arena arena;
    struct known_sweep *sweeps = NULL;
    const struct known_sweep *chosen = NULL;
    int count = 0;
    arena_init(&arena);
    enum status st = database_open(db, &store, e);
    if (st == ST_OK)
        st = store_known_sweeps(store, &arena, &sweeps, &count, e);
    if (st == ST_OK)
        st = choose_sweep(sweeps, count, sweep, db, &chosen, e);
    if (st == ST_OK)
        st = spec_parse(chosen->spec_text, strlen(chosen->spec_text), chosen->spec_path, spec, e);
    store_close(store);
    arena_release(&arena);
    return st;
}

/* Only what is finished can be extended. */
static enum status check_finished(const struct spec *spec, const char *db, struct err *e)
{
    struct store *store = NULL;
    struct space space;
    struct changes changes = {.known = false};
    if (!file_exists(db))
        return err_set(e, ST_USAGE, "%s: there is no such database, so nothing to extend", db);
    enum status st = database_open(db, &store, e);
    if (st != ST_OK)
        return st;
    st = space_build(spec, &space, e);
    if (st == ST_OK)
        st = changes_find(&changes, store, spec, &space, NULL, e);
    int unfinished = 0;
    for (int i = 0; i < CHANGE_COUNT && st == ST_OK; i++)
        unfinished += change_trains((enum change)i) ? changes.counts[i] : 0;
    if (unfinished > 0)
        st = err_set(
            e, ST_FAILED,
            "%d of %d trial%s not finished, and only finished ones can be extended; first: firesweep run "
            "%s --db %s",
            unfinished, space.trial_count, space.trial_count == 1 ? " is" : "s are", spec->path, db);
    changes_release(&changes);
    space_release(&space);
    store_close(store);
    return st;
}

static enum status extend_spec(struct spec *spec, const struct run_config *config, int epochs,
                               const struct output *o, struct err *e)
{
    const int before = spec->base.recipe.epochs;
    enum status st = spec_extend(spec, epochs, e);
    if (st == ST_OK) {
        spec->base.recipe.epochs = before;
        st = check_finished(spec, config->db, e);
        spec->base.recipe.epochs = epochs;
    }
    char *spec_word = shell_word(spec->path), *db_word = shell_word(config->db);
    char *again = spec_word && db_word
                      ? mem_printf("firesweep extend %s --db %s --epochs %d", spec_word, db_word, epochs)
                      : NULL;
    if (st == ST_OK && !again)
        st = err_set(e, ST_NOMEM, "out of memory");
    if (st == ST_OK)
        st = run_spec(spec, config, again, o, e);
    if (st == ST_OK)
        fprintf(stderr,
                "Trials of fewer epochs are outside the spec now; to keep it so, write epochs: %d into %s\n",
                epochs, spec_word);
    mem_free(again);
    mem_free(spec_word);
    mem_free(db_word);
    return st;
}

static enum status read_arguments(const struct args *a, struct run_config *config, int *epochs, struct err *e)
{
    enum status st = args_int(a, OPTION_WORKERS, "--workers", 1, RUN_MAX_WORKERS, &config->workers, e);
    if (st == ST_OK)
        st = args_int(a, OPTION_THREADS, "--threads", 1, CPU_MAX, &config->threads, e);
    if (st == ST_OK)
        st = args_int(a, OPTION_EPOCHS, "--epochs", 1, RECIPE_EPOCHS_MAX, epochs, e);
    if (st == ST_OK && *epochs == 0)
        st = err_set(e, ST_USAGE, "--epochs is missing: how many epochs the trials shall have in all");
    return st;
}

static enum status extend_run(const struct args *a, struct err *e)
{
    struct output o;
    struct spec spec = {.path = NULL};
    struct run_config config = {.db = a->value[OPTION_DB], .same_data = true};
    int epochs = 0;
    const char *path = a->positional[0];
    const bool database = is_database(path);
    char *db = NULL;
    enum status st = output_init(&o, a, e);
    if (st == ST_OK)
        st = read_arguments(a, &config, &epochs, e);
    if (st == ST_OK && database && config.db)
        st = err_set(e, ST_USAGE, "%s is a database, so --db %s is one too many", path, config.db);
    if (st != ST_OK)
        return err_prefix(e, "extend");
    signal(SIGPIPE, SIG_IGN); /* as in run */
    arena_init(&spec.arena);
    st = database ? spec_of_database(path, a->value[OPTION_SWEEP], &spec, e) : spec_load(path, &spec, e);
    if (st == ST_OK) {
        db = run_database_path(&spec, database ? path : config.db);
        config.db = db;
        st = db ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
    }
    if (st == ST_OK)
        st = extend_spec(&spec, &config, epochs, &o, e);
    mem_free(db);
    spec_release(&spec);
    return st == ST_OK ? ST_OK : err_prefix(e, "extend");
}

const struct command command_extend = {
    .name = "extend",
    .summary = "Train finished trials further, where their schedule allows it",
    .positionals = "DB|SPEC",
    .positional_min = 1,
    .positional_max = 1,
    .description =
        "Trains the finished trials of a sweep on to N epochs, from their final weights and optimizer "
        "state, and ends with exactly the results of a sweep that had N epochs from the start. That "
        "is possible with schedule: constant and warmup: 0 only. With any other schedule the learning "
        "rates depend on the end of the training, so going on would be another recipe: extend refuses "
        "and says so. The longer trials are trials of their own; the shorter ones stay.",
    .examples = "  firesweep extend results/sweep.db --epochs 40\n"
                "  firesweep extend sweep.yaml --epochs 40\n",
    .options = options,
    .run = extend_run,
};
