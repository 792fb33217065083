/* firesweep status: where the sweeps of a database stand. */
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/output.h"
#include "cli/status_watch.h"
#include "report/summary.h"

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

/* The columns of trial states stand in the order of enum trial_state, behind the number of trials. */
static const struct table_column state_columns[TRIAL_STATE_COUNT + 2] = {
    {.name = "trials"},    {.name = "pending"},
    {.name = "running"},   {.name = "done"},
    {.name = "diverged"},  {.name = "failed"},
    {.name = "timed_out"}, {.name = "pruned"},
    {.name = "skipped"},   {.name = "outside", .title = "outside the spec"},
};

static enum status state_rows(const void *context, struct table *t, struct err *e)
{
    struct store *store = *(struct store *const *)context;
    int64_t counts[TRIAL_STATE_COUNT], total = 0;
    struct cell cells[TRIAL_STATE_COUNT + 2];
    struct store_query *q = NULL;
    bool row = false;
    enum status st = store_counts(store, NULL, counts, e);
    for (int i = 0; i < TRIAL_STATE_COUNT && st == ST_OK; i++) {
        cells[i + 1] = cell_int(counts[i]);
        total += counts[i];
    }
    cells[0] = cell_int(total);
    if (st == ST_OK)
        st = summary_outside(store, &q, e);
    if (st == ST_OK)
        st = store_query_next(q, &row, e);
    cells[TRIAL_STATE_COUNT + 1] = st == ST_OK && row ? store_query_cell(q, 0) : cell_null();
    store_query_close(q);
    return st == ST_OK ? table_row(t, cells, e) : st;
}

static const struct table_column sweep_columns[] = {
    {.name = "sweep"},  {.name = "spec"}, {.name = "data"},
    {.name = "trials"}, {.name = "done"}, {.name = "updated_utc"},
};

static enum status sweep_rows(const void *context, struct table *t, struct err *e)
{
    return output_query_rows(*(struct store *const *)context, summary_sweeps, t, e);
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
};

static enum status running_rows(const void *context, struct table *t, struct err *e)
{
    return output_query_rows(*(struct store *const *)context, summary_running, t, e);
}

static const struct table_column failure_columns[] = {
    {.name = "trial"},    {.name = "name"},        {.name = "state"},
    {.name = "attempts"}, {.name = "epochs_done"}, {.name = "message"},
};

static enum status failure_rows(const void *context, struct table *t, struct err *e)
{
    return output_query_rows(*(struct store *const *)context, summary_failures, t, e);
}

static const struct table_column event_columns[] = {
    {.name = "trial"},   {.name = "name"},
    {.name = "attempt"}, {.name = "at_utc", .title = "at (UTC)"},
    {.name = "kind"},    {.name = "text", .title = "what happened"},
};

static enum status event_rows(const void *context, struct table *t, struct err *e)
{
    return output_query_rows(*(struct store *const *)context, summary_events, t, e);
}

static const struct section sections[] = {
    {.name = "states",
     .heading = "Trials",
     SECTION_COLUMNS(state_columns),
     .record = true,
     .across = true,
     .rows = state_rows},
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
    struct store *store = NULL;
    enum status st = output_init(&o, a, e);
    if (st == ST_OK && a->value[OPTION_WATCH] && (a->value[OPTION_FORMAT] || a->value[OPTION_ONLY]))
        st = err_set(e, ST_USAGE, "--watch shows lines of its own, without --format and --only");
    if (st == ST_OK && a->value[OPTION_WATCH]) {
        st = status_watch(a->positional[0], e);
        return st == ST_OK ? ST_OK : err_prefix(e, "status");
    }
    if (st == ST_OK)
        st = database_open(a->positional[0], &store, e);
    if (st == ST_OK)
        st = output_sections(&o, sections, sizeof sections / sizeof *sections, 0, &store, e);
    store_close(store);
    return st == ST_OK ? ST_OK : err_prefix(e, "status");
}

const struct command command_status = {
    .name = "status",
    .summary = "Where a results database stands: trials by state, running, failures",
    .positionals = "DB",
    .positional_min = 1,
    .positional_max = 1,
    .description = "Counts the trials of a results database by state, lists its sweeps, the running "
                   "trials with their last finished epoch, what failed and why, and what happened lately: "
                   "crashes, further attempts, refused checkpoints. Safe while a sweep runs.",
    .examples = "  firesweep status results/quickstart.db\n"
                "  firesweep status results/quickstart.db --watch\n"
                "  firesweep status results/quickstart.db --only failures --format json\n",
    .options = options,
    .run = status_run,
};
