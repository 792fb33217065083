/* firesweep status: where the sweeps of a database stand. */
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/output.h"
#include "cli/pager.h"
#include "cli/status_watch.h"
#include "report/summary.h"
#include "sweep/store_lease.h"

enum { OPTION_WATCH = OPTION_OWN };

static const struct poptOption options[] = {
    {"watch", '\0', POPT_ARG_NONE, NULL, OPTION_WATCH,
     "Show progress and time left until nothing runs any more: drawn anew on a terminal, else a line for "
     "each change",
     NULL},
    OUTPUT_FORMAT_OPTION,
    {"only", '\0', POPT_ARG_STRING, NULL, OPTION_ONLY,
     "Print one part: states, sweeps, running, failures or events (csv: states)", "PART"},
    POPT_TABLEEND};

struct view {
    struct store *store;
    struct lease *leases; /* of the trials that are recorded as running */
    int lease_count;
};

/* The columns of trial states stand in the order of enum trial_state, behind the number of trials; what a
 * run that is gone left without an end comes after the running ones. */
enum { INTERRUPTED = TRIAL_RUNNING + 2, OUTSIDE = TRIAL_STATE_COUNT + 2, STATE_COLUMNS };
static const struct table_column state_columns[STATE_COLUMNS] = {
    {.name = "trials"},
    {.name = "pending"},
    {.name = "running"},
    {.name = "interrupted"},
    {.name = "done"},
    {.name = "diverged"},
    {.name = "failed"},
    {.name = "timed_out"},
    {.name = "pruned"},
    {.name = "skipped"},
    {.name = "outside", .title = "outside the spec"},
};

static int gone_count(const struct view *v)
{
    int gone = 0;
    for (int i = 0; i < v->lease_count; i++)
        gone += lease_look(&v->leases[i]) == LEASE_GONE;
    return gone;
}

static enum status state_rows(const void *context, struct table *t, struct err *e)
{
    const struct view *v = context;
    int64_t counts[TRIAL_STATE_COUNT], total = 0;
    const int gone = gone_count(v);
    struct cell cells[STATE_COLUMNS];
    struct store_query *q = NULL;
    bool row = false;
    enum status st = store_counts(v->store, NULL, counts, e);
    for (int i = 0; i < TRIAL_STATE_COUNT && st == ST_OK; i++) {
        total += counts[i];
        /* A run may have taken some over since the leases were read. */
        const int64_t at_work = counts[i] > gone ? counts[i] - gone : 0;
        cells[i + 1 + (i > TRIAL_RUNNING)] = cell_int(i == TRIAL_RUNNING ? at_work : counts[i]);
    }
    cells[0] = cell_int(total);
    cells[INTERRUPTED] = cell_int(gone);
    if (st == ST_OK)
        st = summary_outside(v->store, &q, e);
    if (st == ST_OK)
        st = store_query_next(q, &row, e);
    cells[OUTSIDE] = st == ST_OK && row ? store_query_cell(q, 0) : cell_null();
    store_query_close(q);
    return st == ST_OK ? table_row(t, cells, e) : st;
}

static void state_note(const void *context, FILE *out)
{
    if (gone_count(context) > 0)
        fputs("Interrupted: their run is gone without an end (killed, or its machine was started again); the "
              "same firesweep run continues them.\n",
              out);
}

static const struct table_column sweep_columns[] = {
    {.name = "sweep"},
    {.name = "spec"},
    {.name = "data"},
    {.name = "trials"},
    {.name = "done"},
    {.name = "shorter_rungs", .title = "trials of shorter rungs", .flags = TABLE_OPTIONAL},
    {.name = "updated_utc", .title = "spec recorded (UTC)"},
};

static enum status sweep_rows(const void *context, struct table *t, struct err *e)
{
    return output_query_rows(((const struct view *)context)->store, summary_sweeps, t, e);
}

static const struct table_column running_columns[] = {
    {.name = "trial"},
    {.name = "name"},
    {.name = "epochs_done", .title = "epochs done"},
    {.name = "epochs", .title = "of"},
    {.name = "train_loss", .title = "train loss"},
    {.name = "val_top1", .title = "val top-1"},
    {.name = "epoch_s", .title = "s per epoch"},
    {.name = "threads", .flags = TABLE_NOT_TEXT},
    {.name = "host"},
    {.name = "pid"},
    {.name = "started_utc", .title = "started (UTC)"},
    {.name = "run", .title = "its run"},
};
enum { RUNNING_COLUMNS = sizeof running_columns / sizeof *running_columns };

static enum status running_rows(const void *context, struct table *t, struct err *e)
{
    static const char *const lives[] = {
        [LEASE_GONE] = "gone", [LEASE_ALIVE] = "at work", [LEASE_UNKNOWN] = "not seen from here"};
    const struct view *v = context;
    struct store_query *q = NULL;
    bool row = true;
    enum status st = summary_running(v->store, &q, e);
    while (st == ST_OK && (st = store_query_next(q, &row, e)) == ST_OK && row) {
        struct cell cells[RUNNING_COLUMNS];
        for (int i = 0; i < RUNNING_COLUMNS - 1; i++)
            cells[i] = store_query_cell(q, i);
        cells[RUNNING_COLUMNS - 1] =
            cell_text(lives[lease_look_among(v->leases, v->lease_count, cells[0].i)]);
        st = table_row(t, cells, e);
    }
    store_query_close(q);
    return st;
}

static const struct table_column failure_columns[] = {
    {.name = "trial"},    {.name = "name"},        {.name = "state"},
    {.name = "attempts"}, {.name = "epochs_done"}, {.name = "message"},
};

static enum status failure_rows(const void *context, struct table *t, struct err *e)
{
    return output_query_rows(((const struct view *)context)->store, summary_failures, t, e);
}

static const struct table_column event_columns[] = {
    {.name = "trial"},   {.name = "name"},
    {.name = "attempt"}, {.name = "at_utc", .title = "at (UTC)"},
    {.name = "kind"},    {.name = "text", .title = "what happened"},
};

static enum status event_rows(const void *context, struct table *t, struct err *e)
{
    return output_query_rows(((const struct view *)context)->store, summary_events, t, e);
}

static const struct section sections[] = {
    {.name = "states",
     .heading = "Trials",
     SECTION_COLUMNS(state_columns),
     .record = true,
     .across = true,
     .rows = state_rows,
     .note = state_note},
    {.name = "sweeps", .heading = "Sweeps", SECTION_COLUMNS(sweep_columns), .rows = sweep_rows},
    {.name = "running",
     .heading = "Running",
     SECTION_COLUMNS(running_columns),
     .may_be_empty = true,
     .rows = running_rows},
    {.name = "failures",
     .heading = "Failures",
     SECTION_COLUMNS(failure_columns),
     .may_be_empty = true,
     .rows = failure_rows},
    {.name = "events",
     .heading = "Events, the last of them (all: firesweep query DB events)",
     SECTION_COLUMNS(event_columns),
     .may_be_empty = true,
     .rows = event_rows},
};

static enum status status_run(const struct args *a, struct err *e)
{
    struct output o;
    struct view v = {0};
    enum status st = output_init(&o, a, e);
    if (st == ST_OK && a->value[OPTION_WATCH] && (a->value[OPTION_FORMAT] || a->value[OPTION_ONLY]))
        st = err_set(e, ST_USAGE, "--watch shows lines of its own, without --format and --only");
    if (st == ST_OK && a->value[OPTION_WATCH]) {
        st = status_watch(a->positional[0], e);
        return st == ST_OK ? ST_OK : err_prefix(e, "status");
    }
    if (st == ST_OK)
        st = database_open(a->positional[0], &v.store, e);
    if (st == ST_OK)
        st = store_leases(v.store, &v.leases, &v.lease_count, e);
    struct pager pager;
    pager_start(&pager);
    if (st == ST_OK)
        st = output_sections(&o, sections, sizeof sections / sizeof *sections, 0, &v, e);
    pager_end(&pager);
    mem_free(v.leases);
    store_close(v.store);
    return st == ST_OK ? ST_OK : err_prefix(e, "status");
}

const struct command command_status = {
    .name = "status",
    .summary = "Where a results database stands: trials by state, running, failures",
    .positionals = "DB",
    .positional_min = 1,
    .positional_max = 1,
    .description =
        "Counts the trials of a results database by state, lists its sweeps, the running "
        "trials with their last finished epoch and whether their run is still at work, what "
        "failed and why, and what happened lately: "
        "crashes, further attempts, refused checkpoints. Safe while a sweep runs. On a terminal, $PAGER "
        "shows it.",
    .examples = "  firesweep status results/quickstart.db\n"
                "  firesweep status results/quickstart.db --watch\n"
                "  firesweep status results/quickstart.db --only failures --format json\n",
    .options = options,
    .run = status_run,
};
