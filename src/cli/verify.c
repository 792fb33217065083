/* firesweep verify: trains again what a database says was trained. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/output.h"
#include "sweep/verify.h"

enum { OPTION_FROM_EPOCH = OPTION_OWN };

static const struct poptOption options[] = {
    {"from-epoch", '\0', POPT_ARG_STRING, NULL, OPTION_FROM_EPOCH,
     "Continue from the checkpoint kept after epoch N instead of starting over (0: start over)", "N"},
    {"threads", '\0', POPT_ARG_STRING, NULL, OPTION_THREADS, "Threads (default: all cores)", "N"},
    OUTPUT_FORMAT_OPTION,
    POPT_TABLEEND};

static const struct table_column columns[] = {
    {.name = "trial"},
    {.name = "name"},
    {.name = "result"},
    {.name = "first_epoch", .flags = TABLE_NOT_TEXT},
    {.name = "epochs", .title = "epochs trained"},
    {.name = "metrics", .title = "metrics compared"},
    {.name = "different", .title = "of these differ"},
    {.name = "detail"},
};

/* What the rows are made by while the table is written. */
struct answers {
    struct verify_config config;
    struct verify_totals totals;
    struct table *table;
    bool live; /* standard error is a terminal: show where the training is */
};

static enum status add_row(void *context, const struct verification *v, struct err *e)
{
    struct answers *a = context;
    const struct cell cells[] = {
        cell_int(v->trial),
        cell_text(v->name),
        cell_text(verify_result_name(v->result)),
        v->epochs > 0 ? cell_int(v->first_epoch) : cell_null(),
        cell_int(v->epochs),
        cell_int(v->compared),
        cell_int(v->different),
        cell_text(v->detail),
    };
    return table_row(a->table, cells, e);
}

static void show_epoch(void *context, const char *name, int epoch, int epochs)
{
    const struct answers *a = context;
    if (!a->live)
        return;
    fputs("\r\033[K", stderr);
    table_print_escaped(stderr, name);
    fprintf(stderr, ": epoch %d of %d", epoch, epochs);
}

static enum status rows(const void *context, struct table *t, struct err *e)
{
    struct answers *a = *(struct answers *const *)context;
    a->table = t;
    const struct verify_observer observer = {a, add_row, show_epoch};
    const enum status st = verify_run(&a->config, &observer, &a->totals, e);
    if (a->live)
        fputs("\r\033[K", stderr);
    return st;
}

static enum status read_arguments(struct answers *a, const struct args *args, struct err *e)
{
    struct cpu_info cpu;
    cpu_detect(&cpu);
    a->config = (struct verify_config){.db = args->positional[0], .threads = cpu.physical_cores};
    a->live = isatty(STDERR_FILENO);
    a->config.from_epoch = 0;
    enum status st = args_int(args, OPTION_THREADS, "--threads", 1, CPU_MAX, &a->config.threads, e);
    if (st == ST_OK)
        st = args_int(args, OPTION_FROM_EPOCH, "--from-epoch", 0, 1000000, &a->config.from_epoch, e);
    a->config.from_middle = a->config.from_epoch > 0;
    if (st == ST_OK && args->positional[1]) {
        char *end;
        a->config.trial = strtoll(args->positional[1], &end, 10);
        if (*end || end == args->positional[1] || a->config.trial < 1)
            st = err_set(e, ST_USAGE, "TRIAL \"%.40s\" is no id of a trial, allowed: a whole number from 1",
                         args->positional[1]);
    }
    return st;
}

static enum status verdict(const struct verify_totals *t, struct err *e)
{
    const int all = t->reproduced + t->different + t->impossible;
    const char *const s = all == 1 ? "" : "s";
    if (t->different == 0 && t->impossible == 0)
        return ST_OK;
    if (t->different == 0)
        return err_set(e, ST_FAILED, "%d of %d trial%s could not be verified%s", t->impossible, all, s,
                       t->reproduced > 0 ? ", the others reproduce" : "");
    if (t->impossible == 0)
        return err_set(e, ST_FAILED, "%d of %d trial%s not reproduce", t->different, all,
                       all == 1 ? " does" : "s do");
    return err_set(e, ST_FAILED, "%d of %d trials do not reproduce, %d could not be verified", t->different,
                   all, t->impossible);
}

static enum status verify_command(const struct args *args, struct err *e)
{
    static const struct section section = {.name = "trials", SECTION_COLUMNS(columns), .rows = rows};
    struct output o;
    struct answers a = {.config = {.db = NULL}}, *context = &a;
    enum status st = output_init(&o, args, e);
    if (st == ST_OK)
        st = read_arguments(&a, args, e);
    if (st == ST_OK)
        st = database_failure(a.config.db, output_single(&o, &section, &context, e), e);
    if (st == ST_OK) {
        fflush(stdout);
        st = verdict(&a.totals, e);
    }
    return st == ST_OK ? ST_OK : err_prefix(e, "verify");
}

const struct command command_verify = {
    .name = "verify",
    .summary = "Train finished trials again and compare every metric bit for bit",
    .positionals = "DB [TRIAL]",
    .positional_min = 1,
    .positional_max = 2,
    .description =
        "Trains a trial (TRIAL is its id; without one: every done or diverged trial) again, exactly "
        "as the database says, and compares learning rates, losses and accuracies of every epoch "
        "and of the test with what was recorded. Nothing is written: neither the database nor its "
        "checkpoints. A trial is `impossible` to verify when its data has changed or is gone, when "
        "another arithmetic trained it, or kernels without fused multiply-add. The exit "
        "status is 0 when all reproduce, else 1.",
    .examples = "  firesweep verify results/quickstart.db 3\n"
                "  firesweep verify results/quickstart.db --format json\n"
                "  firesweep verify results/quickstart.db 3 --from-epoch 5\n",
    .options = options,
    .run = verify_command,
};
