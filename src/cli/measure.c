/* firesweep measure: what the variants of a database cost where they are used. */
#include <stdio.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/output.h"
#include "sweep/measure.h"

enum { OPTION_MISSING = OPTION_OWN };

static const struct poptOption options[] = {
    {"missing", '\0', POPT_ARG_NONE, NULL, OPTION_MISSING, "Only variants that were not measured yet", NULL},
    OUTPUT_FORMAT_OPTION,
    POPT_TABLEEND};

static const struct table_column columns[] = {
    {.name = "trial"},
    {.name = "name"},
    {.name = "latency_ms", .title = "latency ms", .decimals = 3},
    {.name = "latency_p95_ms", .title = "95 % ms", .decimals = 3},
    {.name = "repetitions", .title = "n"},
    {.name = "infer_img_s", .title = "images/s", .decimals = 1},
    {.name = "infer_mib", .title = "MiB", .decimals = 2},
    {.name = "infer_activation_mib", .title = "of these activations", .decimals = 2},
    {.name = "cpu_share", .title = "core's share", .decimals = 3},
};

struct measuring {
    struct store *store;
    struct measure_config config;
    struct table *table;
    int64_t trials[ARGS_POSITIONAL];
    int count, disturbed;
    bool live; /* standard error is a terminal: show where the work is */
};

static enum status add_row(void *context, const struct measurement *m, struct err *e)
{
    struct measuring *a = context;
    const double mib = 1048576;
    const struct inference_memory *memory = &m->speed.memory;
    const struct cell cells[] = {
        cell_int(m->trial),
        cell_text(m->name),
        cell_real(m->speed.latency_ms),
        cell_real(m->speed.latency_p95_ms),
        cell_int(m->speed.repetitions),
        cell_real(m->speed.images_per_s),
        cell_real((double)(memory->weight_bytes + memory->activation_bytes) / mib),
        cell_real((double)memory->activation_bytes / mib),
        cell_real(m->speed.cpu_share),
    };
    a->disturbed += m->speed.cpu_share < MEASURE_QUIET_SHARE;
    if (a->live)
        fprintf(stderr, "\r\033[K%d of %d variants", m->number, m->count);
    return table_row(a->table, cells, e);
}

static enum status rows(const void *context, struct table *t, struct err *e)
{
    struct measuring *a = *(struct measuring *const *)context;
    a->table = t;
    a->config.context = a;
    const enum status st = measure_variants(a->store, &a->config, &a->count, e);
    if (a->live)
        fputs("\r\033[K", stderr);
    return st;
}

static enum status read_arguments(struct measuring *a, const struct args *args, struct err *e)
{
    a->live = isatty(STDERR_FILENO);
    a->config = (struct measure_config){
        .measured = args->value[OPTION_MISSING] ? MEASURED_NONE : MEASURED_ANY,
        .seconds = MEASURE_VARIANT_S,
        .done = add_row,
    };
    for (int i = 1; i < args->positional_count; i++) {
        if (!num_parse_int(args->positional[i], &a->trials[i - 1]) || a->trials[i - 1] < 1)
            return err_set(e, ST_USAGE, "TRIAL \"%.40s\" is no id of a trial, allowed: a whole number from 1",
                           args->positional[i]);
    }
    a->config.trial_count = args->positional_count - 1;
    a->config.trials = a->config.trial_count > 0 ? a->trials : NULL;
    if (a->config.trials && args->value[OPTION_MISSING])
        return err_set(e, ST_USAGE, "--missing chooses the variants, so no TRIAL can be named with it");
    return ST_OK;
}

static void say_how(const struct measuring *a)
{
    if (a->count == 0)
        fputs("nothing to measure: no finished trial, or all are measured\n", stderr);
    if (a->disturbed > 0)
        fprintf(stderr,
                "%d of %d measurements were disturbed: others used the machine (core's share below %.2f); "
                "measure again when it is quiet\n",
                a->disturbed, a->count, MEASURE_QUIET_SHARE);
}

static enum status measure_command(const struct args *args, struct err *e)
{
    static const struct section section = {.name = "measurements", SECTION_COLUMNS(columns), .rows = rows};
    struct output o;
    struct measuring a = {.store = NULL}, *context = &a;
    enum status st = output_init(&o, args, e);
    if (st == ST_OK)
        st = read_arguments(&a, args, e);
    if (st == ST_OK && access(args->positional[0], F_OK) != 0) /* it would be created */
        st = err_set(e, ST_FAILED, "%s: no such database", args->positional[0]);
    if (st == ST_OK)
        st = store_open(args->positional[0], &a.store, e);
    if (st != ST_OK && !a.store)
        st = database_failure(args->positional[0], st, e);
    if (st == ST_OK)
        st = output_single(&o, &section, &context, e);
    store_close(a.store);
    if (st == ST_OK) {
        fflush(stdout);
        say_how(&a);
    }
    return st == ST_OK ? ST_OK : err_prefix(e, "measure");
}

const struct command command_measure = {
    .name = "measure",
    .summary = "Measure inference of finished variants: latency, rate, memory",
    .positionals = "DB [TRIAL...]",
    .positional_min = 1,
    .positional_max = ARGS_POSITIONAL,
    .description =
        "Runs each variant (TRIAL: those of these trials; without one: of all finished trials) on one "
        "thread that is pinned to one core, one image at a time, about half a second each, and records "
        "median and 95th percentile of the latency, the rate of a few images at a time, the memory "
        "that the engine allocates for one image, and how it was measured, in the database, in place of an "
        "earlier measurement. A run does that in its end for what is new (run.measure). Measure again "
        "on the machine that counts, and when nothing else uses it: the core's share of the "
        "measurement's time tells.",
    .examples = "  firesweep measure results/quickstart.db\n"
                "  firesweep measure results/quickstart.db 3 5 --format json\n"
                "  firesweep query results/quickstart.db trials --where \"latency_ms < 5\"\n"
                "  firesweep plot results/quickstart.db pareto --x latency_ms\n",
    .options = options,
    .run = measure_command,
};
