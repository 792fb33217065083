/* firesweep gc: removes checkpoints that nothing needs any more. */
#include <string.h>

#include "cli/commands.h"
#include "cli/database.h"
#include "cli/output.h"
#include "metamodel/cost.h"
#include "sweep/gc.h"

enum { OPTION_KEEP = OPTION_OWN, OPTION_DRY_RUN };

static const struct poptOption options[] = {
    {"keep", '\0', POPT_ARG_STRING, NULL, OPTION_KEEP,
     "Checkpoints of finished trials that stay (default: run.keep of the recorded spec; of several sweeps "
     "the one that keeps most)",
     "last|best|all|none"},
    {"dry-run", '\0', POPT_ARG_NONE, NULL, OPTION_DRY_RUN, "Only say what would be removed", NULL},
    OUTPUT_FORMAT_OPTION,
    {"only", '\0', POPT_ARG_STRING, NULL, OPTION_ONLY, "Print one part: totals, kinds or files (csv: files)",
     "PART"},
    POPT_TABLEEND};

struct answer {
    struct gc gc;
    bool dry_run;
    int shown; /* files listed in a table for people */
};

static const char *fate_name(enum gc_fate fate, bool dry_run)
{
    static const char *const names[] = {"kept", "removed", "not ours", "not removed"};
    return fate == GC_REMOVE && dry_run ? "would be removed" : names[fate];
}

/* totals */

static const struct table_column total_columns[] = {
    {.name = "keep"},
    {.name = "dry_run", .title = "dry run", .flags = TABLE_NOT_TEXT},
    {.name = "files_removed", .flags = TABLE_NOT_TEXT},
    {.name = "bytes_removed", .flags = TABLE_NOT_TEXT},
    {.name = "files_kept", .flags = TABLE_NOT_TEXT},
    {.name = "bytes_kept", .flags = TABLE_NOT_TEXT},
    {.name = "files_not_ours", .flags = TABLE_NOT_TEXT},
    {.name = "files_not_removed", .flags = TABLE_NOT_TEXT},
    {.name = "removed", .title = "removed", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "kept", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "not ours", .title = "other files, left alone", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
};

static void amount_text(char *out, size_t n, int64_t files, double bytes, const char *note)
{
    snprintf(out, n, "%lld file%s, %.1f MiB%s", (long long)files, files == 1 ? "" : "s", bytes / MIB, note);
}

static enum status total_rows(const void *context, struct table *t, struct err *e)
{
    const struct answer *a = context;
    int64_t files[GC_FATE_COUNT] = {0}, bytes[GC_FATE_COUNT] = {0};
    char removed[80], kept[80], note[48] = "";
    for (int i = 0; i < a->gc.count; i++) {
        files[a->gc.files[i].fate]++;
        bytes[a->gc.files[i].fate] += a->gc.files[i].bytes;
    }
    if (a->dry_run)
        snprintf(note, sizeof note, " (dry run: nothing is removed)");
    else if (files[GC_STUCK] > 0)
        snprintf(note, sizeof note, " (%lld could not be removed)", (long long)files[GC_STUCK]);
    amount_text(removed, sizeof removed, files[GC_REMOVE], (double)bytes[GC_REMOVE], note);
    files[GC_KEEP] += files[GC_STUCK]; /* they are there */
    bytes[GC_KEEP] += bytes[GC_STUCK];
    amount_text(kept, sizeof kept, files[GC_KEEP], (double)bytes[GC_KEEP], "");
    const struct cell cells[] = {cell_text(keep_name(a->gc.keep)),
                                 cell_int(a->dry_run),
                                 cell_int(files[GC_REMOVE]),
                                 cell_int(bytes[GC_REMOVE]),
                                 cell_int(files[GC_KEEP]),
                                 cell_int(bytes[GC_KEEP]),
                                 cell_int(files[GC_FOREIGN]),
                                 cell_int(files[GC_STUCK]),
                                 cell_text(removed),
                                 cell_text(kept),
                                 cell_int(files[GC_FOREIGN])};
    return table_row(t, cells, e);
}

/* kinds */

static const struct table_column kind_columns[] = {
    {.name = "kind"},
    {.name = "files_removed", .title = "files removed"},
    {.name = "bytes_removed", .flags = TABLE_NOT_TEXT},
    {.name = "MiB removed", .decimals = 1, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "files_kept", .title = "files kept"},
    {.name = "bytes_kept", .flags = TABLE_NOT_TEXT},
    {.name = "MiB kept", .decimals = 1, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
};

static enum status kind_rows(const void *context, struct table *t, struct err *e)
{
    const struct answer *a = context;
    enum status st = ST_OK;
    for (int kind = 0; kind < CHECKPOINT_KIND_COUNT && st == ST_OK; kind++) {
        int64_t files[GC_FATE_COUNT] = {0}, bytes[GC_FATE_COUNT] = {0};
        for (int i = 0; i < a->gc.count; i++) {
            const struct gc_file *f = &a->gc.files[i];
            if (f->trial != 0 && (int)f->parts.kind == kind) {
                const enum gc_fate fate = f->fate == GC_STUCK ? GC_KEEP : f->fate;
                files[fate]++;
                bytes[fate] += f->bytes;
            }
        }
        const struct cell cells[] = {cell_text(checkpoint_kind_name((enum checkpoint_kind)kind)),
                                     cell_int(files[GC_REMOVE]),
                                     cell_int(bytes[GC_REMOVE]),
                                     cell_real((double)bytes[GC_REMOVE] / MIB),
                                     cell_int(files[GC_KEEP]),
                                     cell_int(bytes[GC_KEEP]),
                                     cell_real((double)bytes[GC_KEEP] / MIB)};
        if (files[GC_REMOVE] + files[GC_KEEP] > 0)
            st = table_row(t, cells, e);
    }
    return st;
}

/* files */

static const struct table_column file_columns[] = {
    {.name = "file"},
    {.name = "fate"},
    {.name = "trial"},
    {.name = "state"},
    {.name = "kind"},
    {.name = "bytes", .flags = TABLE_NOT_TEXT},
    {.name = "MiB", .decimals = 1, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
};

/* For people only what goes, and what is no checkpoint of a trial. */
static bool listed(const struct answer *a, const struct gc_file *f)
{
    return a->shown < 0 || f->fate != GC_KEEP;
}

static enum status file_rows(const void *context, struct table *t, struct err *e)
{
    const struct answer *a = context;
    enum status st = ST_OK;
    int shown = 0;
    for (int i = 0; i < a->gc.count && st == ST_OK; i++) {
        const struct gc_file *f = &a->gc.files[i];
        if (!listed(a, f) || (a->shown >= 0 && shown >= a->shown))
            continue;
        const bool known = f->trial != 0;
        const struct cell cells[] = {cell_text(f->name),
                                     cell_text(fate_name(f->fate, a->dry_run)),
                                     known ? cell_int(f->trial) : cell_null(),
                                     cell_text(known ? trial_state_name(f->state) : NULL),
                                     cell_text(known ? checkpoint_kind_name(f->parts.kind) : NULL),
                                     cell_int(f->bytes),
                                     cell_real((double)f->bytes / MIB)};
        st = table_row(t, cells, e);
        shown++;
    }
    return st;
}

static void file_note(const void *context, FILE *out)
{
    const struct answer *a = context;
    int count = 0;
    for (int i = 0; i < a->gc.count; i++)
        count += listed(a, &a->gc.files[i]);
    if (a->shown >= 0 && count > a->shown)
        fprintf(out, "... and %d more: --only files, or --format csv or json\n", count - a->shown);
}

/* Files stand last: they may be many. */
enum { SECTION_FILES = 2 };
static const struct section sections[] = {
    {.name = "totals", SECTION_COLUMNS(total_columns), .record = true, .rows = total_rows},
    {.name = "kinds", SECTION_COLUMNS(kind_columns), .may_be_empty = true, .rows = kind_rows},
    {.name = "files",
     SECTION_COLUMNS(file_columns),
     .may_be_empty = true,
     .rows = file_rows,
     .note = file_note},
};

static enum status keep_parse(const char *text, enum keep *out, struct err *e)
{
    for (int i = 0; i <= KEEP_NONE; i++) {
        if (strcmp(text, keep_name((enum keep)i)) == 0) {
            *out = (enum keep)i;
            return ST_OK;
        }
    }
    return err_set(e, ST_USAGE, "--keep: \"%.40s\" is unknown, allowed: last, best, all or none", text);
}

static int stuck_count(const struct gc *g)
{
    int count = 0;
    for (int i = 0; i < g->count; i++)
        count += g->files[i].fate == GC_STUCK;
    return count;
}

static enum status gc_run(const struct args *args, struct err *e)
{
    struct output o;
    struct answer a = {.dry_run = args->value[OPTION_DRY_RUN] != NULL};
    struct err failure = ERR_INIT;
    enum keep keep = KEEP_LAST;
    const char *db = args->positional[0], *asked = args->value[OPTION_KEEP];
    enum status st = output_init(&o, args, e), removed = ST_OK;
    if (st == ST_OK && asked)
        st = keep_parse(asked, &keep, e);
    if (st != ST_OK)
        return err_prefix(e, "gc");
    st = database_failure(db, gc_look(&a.gc, db, asked ? &keep : NULL, e), e);
    if (st == ST_OK && !a.dry_run)
        removed = gc_remove(&a.gc, db, &failure);
    enum { SHOWN = 40 };
    a.shown = o.only || o.format != TABLE_TEXT ? -1 : SHOWN;
    if (st == ST_OK)
        st = output_sections(&o, sections, sizeof sections / sizeof *sections, SECTION_FILES, &a, e);
    const int stuck = stuck_count(&a.gc);
    gc_release(&a.gc);
    if (st == ST_OK && removed != ST_OK) {
        output_flush(NULL);
        st = err_set(e, removed, "%d of the files could not be removed: %s", stuck, failure.text);
    }
    return st == ST_OK ? ST_OK : err_prefix(e, "gc");
}

const struct command command_gc = {
    .name = "gc",
    .summary = "Remove checkpoints that nothing needs any more",
    .positionals = "DB",
    .positional_min = 1,
    .positional_max = 1,
    .description =
        "Removes checkpoints of trials that are done or diverged, beside the database, and says how many "
        "bytes that gave back: leftovers of interrupted writes, and what --keep does not name. last keeps "
        "the final weights, best also those of the epoch with the best validation top-1, all also those "
        "of every epoch (as far as run.keep let the run save them), none nothing: then trials cannot be "
        "exported, evaluated or extended any more. Trials that wait, run, failed or timed out keep all "
        "they have, so a sweep may go on meanwhile. Files that are no checkpoints of the database's "
        "trials are left alone.",
    .examples = "  firesweep gc results/sweep.db --dry-run\n"
                "  firesweep gc results/sweep.db --keep none\n"
                "  firesweep gc results/sweep.db --dry-run --format csv\n",
    .options = options,
    .run = gc_run,
};
