/* firesweep plan: what a sweep would train, and at what cost, before anything is trained. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/pager.h"
#include "cli/plan_internal.h"
#include "engine/calibration.h"
#include "report/plot.h"

enum { OPTION_REFERENCE = OPTION_OWN, OPTION_CALIBRATE, OPTION_BUDGET, OPTION_DB };

static const struct poptOption options[] = {
    {"reference", '\0', POPT_ARG_NONE, NULL, OPTION_REFERENCE,
     "Print all keys of a spec, what they take and their defaults (Markdown)", NULL},
    {"calibrate", '\0', POPT_ARG_NONE, NULL, OPTION_CALIBRATE,
     "First measure how fast this machine is (about 20 s, while nothing else runs) and keep it for "
     "predictions; SPEC may be left out",
     NULL},
    {"db", '\0', POPT_ARG_STRING, NULL, OPTION_DB,
     "Results database to compare with (default: results/NAME.db, NAME from the spec, if it exists)", "FILE"},
    {"budget", '\0', POPT_ARG_STRING, NULL, OPTION_BUDGET,
     "Say which trials fit into this time (2h, 1h30m), in the order of the spec, and which do not", "TIME"},
    OUTPUT_FORMAT_OPTION,
    {"only", '\0', POPT_ARG_STRING, NULL, OPTION_ONLY,
     "Print one part: trials, blocks, totals, removed, skipped, aliases, changes, outside, budget, rungs or "
     "notes "
     "(csv: trials; changes and outside need --db, budget needs --budget, rungs a spec with search)",
     "PART"},
    POPT_TABLEEND};

/* blocks */

static const struct table_column block_columns[] = {
    {.name = "block"},
    {.name = "trials"},
    {.name = "new", .title = "not in a block above"},
    {.name = "skipped"},
};

/* A trial that a block names several times, by other values, is one trial of it. Memberships come block by
 * block. */
static enum status block_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    const struct membership *m = p->space.memberships, *end = m + p->space.membership_count;
    int *named = mem_calloc((size_t)p->space.trial_count + 1, sizeof *named); /* by block so far, + 1 */
    if (!named)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int block = 0; block < p->spec.block_count && st == ST_OK; block++) {
        int trials = 0, new = 0, skipped = 0;
        for (; m < end && m->block == block; m++) {
            if (named[m->trial] == block + 1)
                continue;
            trials++;
            new += named[m->trial] == 0;
            skipped += m->skip_reason != NULL;
            named[m->trial] = block + 1;
        }
        const struct cell cells[] = {cell_text(p->spec.blocks[block].id), cell_int(trials), cell_int(new),
                                     cell_int(skipped)};
        st = table_row(t, cells, e);
    }
    mem_free(named);
    return st;
}

static enum status write_plan(const struct output *o, const struct plan *p, struct err *e)
{
    struct table_column columns[PLAN_TRIAL_COLUMNS];
    const struct section sections[] = {
        plan_trials_section(p, columns),
        {.name = "blocks", SECTION_COLUMNS(block_columns), .rows = block_rows},
        plan_totals_section(p),
        plan_space_sections[0],
        plan_space_sections[1],
        plan_space_sections[2],
        plan_change_sections[0],
        plan_change_sections[1],
        plan_budget_section(p),
        plan_search_section,
        plan_notes_section,
    };
    const bool changes = o->only && (strcmp(o->only, "changes") == 0 || strcmp(o->only, "outside") == 0);
    if (changes && !p->changes.db)
        return err_set(e, ST_USAGE, "--only: %s compares with a results database, and %s is not there%s",
                       o->only, p->db ? p->db : "the spec's own",
                       p->db ? "" : " yet: run first, or name one with --db");
    if (o->only && strcmp(o->only, "budget") == 0 && p->budget_s <= 0)
        return err_set(e, ST_USAGE, "--only: budget needs --budget TIME");
    if (o->only && strcmp(o->only, "rungs") == 0 && !p->spec.search.on)
        return err_set(e, ST_USAGE, "--only: rungs belong to a spec with search, which this one is not");
    if (o->only)
        return output_sections(o, sections, sizeof sections / sizeof *sections, 0, p, e);
    /* Left out at the end: budget, and with it changes where there is no database. */
    struct section chosen[sizeof sections / sizeof *sections];
    int count = 0;
    for (int i = 0; i < (int)(sizeof sections / sizeof *sections); i++) {
        const bool change = i == 6 || i == 7, budget = i == 8, search = i == 9;
        /* Text for people has the skipped in the list of trials, the notes below the totals, and no long list
         * of other names. */
        if (o->format != TABLE_JSON && (i == 4 || i == 10 || (i == 5 && p->shown < p->space.trial_count)))
            continue;
        if ((!change || p->changes.db) && (!budget || p->budget_s > 0) && (!search || p->spec.search.on))
            chosen[count++] = sections[i];
    }
    return output_sections(o, chosen, count, 0, p, e);
}

static enum status print_reference(struct err *e)
{
    char *text = NULL;
    struct pager pager;
    enum status st = spec_reference(&text, e);
    if (st == ST_OK) {
        pager_start(&pager);
        fputs(text, stdout);
        pager_end(&pager);
    }
    mem_free(text);
    return st;
}

static void show_probe(int done, int count)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\rmeasuring the machine's speed: %d of %d networks", done, count);
}

/* A speed that cannot be kept serves this plan only. */
static enum status calibrate(struct plan *p, struct err *e)
{
    struct calibration_key key;
    struct err why = ERR_INIT;
    double scatter = 0;
    calibration_key_init(&key);
    enum status st = predict_calibrate(key.threads, &p->speed, &scatter, show_probe, e);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (st != ST_OK)
        return st;
    p->has_speed = true;
    char *path = calibration_path();
    if (!path)
        err_set(&why, ST_FAILED, "neither XDG_CACHE_HOME nor HOME names a folder for it");
    else if (calibration_write(path, &key, &p->speed, &why) == ST_OK)
        fprintf(stderr, "The speed of %s (%s, %d threads) is kept in %s\n", key.cpu, key.isa, key.threads,
                path);
    if (scatter > SCATTER_USUAL)
        fprintf(stderr,
                "firesweep: plan: the times scatter by %.0f %%: something else uses this machine and "
                "predictions may be far off; measure again when it is idle\n",
                100 * scatter);
    if (why.text[0])
        fprintf(stderr, "firesweep: plan: the speed measured is not kept: %s\n", why.text);
    mem_free(path);
    return ST_OK;
}

/* A plan needs no data, but what is there must suit the networks. */
static enum status check_data(struct plan *p, struct err *e)
{
    struct data_look data;
    const bool there = spec_check_data(&p->spec, &p->data_missing) == ST_OK &&
                       dataset_look(&p->spec.data, &data, &p->data_missing) == ST_OK;
    if (!there)
        return ST_OK;
    const enum status st = image_counts_check(&p->spec, e);
    return st == ST_OK ? space_check_data(&p->spec, &p->space, &data, e) : st;
}

static enum status plan_spec(struct plan *p, const char *path, const struct output *o, struct err *e)
{
    enum status st = spec_load(path, &p->spec, e);
    if (st == ST_OK)
        st = plot_check(&p->spec, e);
    if (st == ST_OK) {
        st = space_build(&p->spec, &p->space, e);
        p->space.trial_count = p->space.named_count; /* shorter rungs of a search: plan_search.c */
        if (st == ST_OK)
            st = check_data(p, e);
        if (st == ST_OK)
            st = plan_forecast(p, e);
        if (st == ST_OK)
            st = plan_look_at_disk(p, p->db, e);
        if (st == ST_OK)
            st = plan_changes_load(&p->changes, p->db, &p->spec, &p->space,
                                   p->data_missing.text[0] ? NULL : &p->images, e);
        if (st == ST_OK)
            st = plan_learn(p, e);
        if (st == ST_OK)
            st = plan_foretell_rest(p, e);
        if (st == ST_OK && p->budget_s > 0)
            st = plan_budget_check(p, e);
        if (st == ST_OK)
            st = plan_find_notes(p, e);
        enum { FULL_MAX = 60, SHOWN = 40 }; /* a terminal is for reading */
        const bool cut =
            o->width > 0 && !o->only && o->format == TABLE_TEXT && p->space.trial_count > FULL_MAX;
        p->shown = cut ? SHOWN : p->space.trial_count;
        if (st == ST_OK) {
            struct pager pager;
            pager_start(&pager);
            st = write_plan(o, p, e);
            pager_end(&pager);
            st = st == ST_OK ? ST_OK : err_prefix(e, "plan");
        }
        strbuf_release(&p->notes);
        plan_changes_release(&p->changes);
        space_release(&p->space);
        forecast_release(&p->forecast);
        mem_free(p->first_membership);
        mem_free(p->next_membership);
    }
    spec_release(&p->spec);
    return st;
}

static enum status plan_run(const struct args *a, struct err *e)
{
    struct output o;
    struct plan p = {.db = a->value[OPTION_DB], .notes = STRBUF_INIT};
    enum status st = output_init(&o, a, e);
    if (st == ST_OK && a->value[OPTION_REFERENCE])
        return print_reference(e);
    if (st == ST_OK && !a->positional[0] && !a->value[OPTION_CALIBRATE])
        st = err_set(e, ST_USAGE, "missing argument, expected SPEC, see firesweep plan --help");
    if (st == ST_OK && a->value[OPTION_BUDGET])
        st = plan_budget_parse(a->value[OPTION_BUDGET], &p.budget_s, e);
    if (st == ST_OK && a->value[OPTION_CALIBRATE])
        st = calibrate(&p, e);
    if (st != ST_OK)
        return err_prefix(e, "plan");
    if (!a->positional[0])
        return ST_OK;
    p.has_speed = p.has_speed || calibration_here(&p.speed);
    return plan_spec(&p, a->positional[0], &o, e);
}

const struct command command_plan = {
    .name = "plan",
    .summary = "Trials of a sweep and their cost, before anything is trained",
    .positionals = "SPEC",
    .positional_min = 0,
    .positional_max = 1,
    .description = "Expands a sweep spec into its trials and says what each one costs: parameters, model "
                   "size, multiply-accumulates and peak activation memory per image (inference), and the "
                   "arithmetic of training, the memory of a worker, and (after --calibrate) the time on this "
                   "machine. Equal trials of several blocks are one trial. Of the data, if it is there, only "
                   "the names, sizes and "
                   "headers of its files are read: they must suit the networks. Beside a results database "
                   "(--db, or the default one) it also "
                   "says what a run would do: which trials are done, continue or are new and why, and which "
                   "recorded ones are outside the spec. On a terminal, $PAGER shows it.",
    .examples = "  firesweep plan experiments/quickstart.yaml\n"
                "  firesweep plan --calibrate\n"
                "  firesweep plan --reference\n"
                "  firesweep plan sweep.yaml --only totals\n"
                "  firesweep plan sweep.yaml --only skipped\n"
                "  firesweep plan sweep.yaml --budget 2h --only budget\n"
                "  firesweep plan sweep.yaml --db results/sweep.db --only changes\n"
                "  firesweep plan sweep.yaml --format csv > trials.csv\n",
    .options = options,
    .run = plan_run,
};
