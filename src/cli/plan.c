/* firesweep plan: what a sweep would train, and at what cost, before anything is trained. */
#include <json-c/json.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "sweep/space.h"
#include "sweep/spec.h"

enum { OPTION_REFERENCE = OPTION_OWN };

static const struct poptOption options[] = {
    {"reference", '\0', POPT_ARG_NONE, NULL, OPTION_REFERENCE,
     "Print all keys of a spec, what they take and their defaults (Markdown)", NULL},
    OUTPUT_FORMAT_OPTION,
    {"only", '\0', POPT_ARG_STRING, NULL, OPTION_ONLY,
     "Print one part: trials, blocks or totals (csv: trials)", "PART"},
    POPT_TABLEEND};

struct plan {
    struct spec spec;
    struct space space;
};

/* Arithmetic operations of training one image once: forward, gradient to data, gradient to weights; a
 * multiply-accumulate counts as two. */
enum { OPERATIONS_PER_MAC = 6 };

static double operations_per_image(const struct trial *t)
{
    return (double)OPERATIONS_PER_MAC * (double)t->cost.macs * t->point.recipe.epochs;
}

/* trials */

static const struct table_column trial_columns[] = {
    {.name = "trial"},
    {.name = "blocks", .title = "block", .flags = TABLE_NOT_JSON},
    {.name = "blocks", .flags = TABLE_NOT_TEXT | TABLE_NOT_CSV | TABLE_JSON_VALUE},
    {.name = "axes", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "axes", .flags = TABLE_NOT_TEXT | TABLE_JSON_VALUE},
    {.name = "seed"},
    {.name = "epochs"},
    {.name = "params", .title = "parameters"},
    {.name = "MiB", .decimals = 2, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "model_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "macs", .title = "MACs"},
    {.name = "activation MiB", .decimals = 2, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "activation_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "train_activation_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "train_operations_per_image", .flags = TABLE_NOT_TEXT},
    {.name = "arch_hash", .flags = TABLE_NOT_TEXT},
    {.name = "skip_reason", .title = "skipped by"},
};
enum { COLUMN_SKIPPED = sizeof trial_columns / sizeof *trial_columns - 1 };

/* "SR=0.125 freq=2" from the JSON object. */
static void format_axes(struct strbuf *b, const char *axes)
{
    struct json_object *object = axes ? json_tokener_parse(axes) : NULL;
    if (json_object_is_type(object, json_type_object)) {
        json_object_object_foreach(object, key, value)
        {
            strbuf_printf(b, "%s%s=%s", b->len ? " " : "", key,
                          value ? json_object_get_string(value) : "null");
        }
    }
    json_object_put(object);
}

/* The blocks a trial belongs to, as text and as JSON array, and the axes of the first of them. Ids of blocks
 * are made of letters, digits, '.', '_' and '-'. */
static void collect_memberships(const struct plan *p, int trial, struct strbuf *blocks, struct strbuf *json,
                                const char **axes)
{
    int last = -1;
    *axes = NULL;
    for (int i = 0; i < p->space.membership_count; i++) {
        const struct membership *m = &p->space.memberships[i];
        if (m->trial != trial || m->block == last)
            continue;
        const char *id = p->spec.blocks[m->block].id;
        strbuf_printf(blocks, "%s%s", blocks->len ? "," : "", id);
        strbuf_printf(json, "%s\"%s\"", json->len ? ", " : "[", id);
        *axes = *axes ? *axes : m->axes;
        last = m->block;
    }
    strbuf_puts(json, "]");
}

static enum status trial_row(const struct plan *p, int index, struct table *t, struct err *e)
{
    const struct trial *trial = &p->space.trials[index];
    const struct cost *c = &trial->cost;
    struct strbuf blocks = STRBUF_INIT, blocks_json = STRBUF_INIT, axes_text = STRBUF_INIT;
    const char *axes;
    collect_memberships(p, index, &blocks, &blocks_json, &axes);
    format_axes(&axes_text, axes);
    const struct cell cells[] = {
        cell_int(index + 1),
        cell_text(blocks.text),
        cell_text(blocks_json.text),
        cell_text(axes_text.len ? axes_text.text : NULL),
        cell_text(axes),
        cell_int((int64_t)trial->seed),
        cell_int(trial->point.recipe.epochs),
        cell_int(c->params),
        cell_real((double)c->model_bytes / MIB),
        cell_int(c->model_bytes),
        cell_int(c->macs),
        cell_real((double)c->activation_bytes / MIB),
        cell_int(c->activation_bytes),
        cell_int(c->train_activation_bytes),
        cell_real(operations_per_image(trial)),
        cell_text(trial->arch_hash),
        cell_text(trial->skip_reason),
    };
    bool failed = blocks.failed || blocks_json.failed || axes_text.failed;
    enum status st = failed ? err_set(e, ST_NOMEM, "out of memory") : table_row(t, cells, e);
    strbuf_release(&blocks);
    strbuf_release(&blocks_json);
    strbuf_release(&axes_text);
    return st;
}

static enum status trial_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    for (int i = 0; i < p->space.trial_count && st == ST_OK; i++)
        st = trial_row(p, i, t, e);
    return st;
}

/* blocks */

static const struct table_column block_columns[] = {
    {.name = "block"},
    {.name = "trials"},
    {.name = "new", .title = "not in a block above"},
    {.name = "skipped"},
};

/* Is the trial in a block before `block`? */
static bool trial_known(const struct plan *p, int trial, int block)
{
    for (int i = 0; i < p->space.membership_count; i++) {
        if (p->space.memberships[i].trial == trial && p->space.memberships[i].block < block)
            return true;
    }
    return false;
}

static enum status block_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    for (int block = 0; block < p->spec.block_count && st == ST_OK; block++) {
        int trials = 0, new = 0, skipped = 0;
        for (int i = 0; i < p->space.membership_count; i++) {
            const struct membership *m = &p->space.memberships[i];
            if (m->block != block)
                continue;
            trials++;
            new += !trial_known(p, m->trial, block);
            skipped += p->space.trials[m->trial].skip_reason != NULL;
        }
        const struct cell cells[] = {cell_text(p->spec.blocks[block].id), cell_int(trials), cell_int(new),
                                     cell_int(skipped)};
        st = table_row(t, cells, e);
    }
    return st;
}

/* totals */

static const struct table_column total_columns[] = {
    {.name = "sweep"},
    {.name = "trials"},
    {.name = "to_train", .title = "trials to train"},
    {.name = "skipped", .title = "trials skipped"},
    {.name = "variants", .title = "variants to train"},
    {.name = "epochs", .title = "epochs to train"},
    {.name = "train_operations_per_image", .flags = TABLE_NOT_TEXT},
    {.name = "train_operations", .flags = TABLE_NOT_TEXT},
    {.name = "GFLOP per image", .title = "training GFLOP per image", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "TFLOP", .title = "training TFLOP", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
};

static bool variant_is_new(const struct space *s, int trial)
{
    for (int i = 0; i < trial; i++) {
        if (!s->trials[i].skip_reason && strcmp(s->trials[i].arch_hash, s->trials[trial].arch_hash) == 0)
            return false;
    }
    return true;
}

static enum status total_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    int64_t to_train = 0, variants = 0, epochs = 0;
    double operations = 0;
    int images = p->spec.data.train_limit; /* only the data tells how many there are without a limit */
    for (int i = 0; i < p->space.trial_count; i++) {
        const struct trial *trial = &p->space.trials[i];
        if (trial->skip_reason)
            continue;
        to_train++;
        variants += variant_is_new(&p->space, i);
        epochs += trial->point.recipe.epochs;
        operations += operations_per_image(trial);
    }
    const struct cell cells[] = {
        cell_text(p->spec.name),     cell_int(p->space.trial_count),
        cell_int(to_train),          cell_int(p->space.trial_count - to_train),
        cell_int(variants),          cell_int(epochs),
        cell_real(operations),       images > 0 ? cell_real(operations * images) : cell_null(),
        cell_real(operations / 1e9), images > 0 ? cell_real(operations * images / 1e12) : cell_null(),
    };
    return table_row(t, cells, e);
}

/* What only the data tells; a plan does not need it, the run will. */
static void total_note(const void *context, FILE *out)
{
    const struct plan *p = context;
    struct err e = ERR_INIT;
    if (p->spec.data.train_limit == 0)
        fputs("\nNote: all operations are those per image times the training images, which only the data can "
              "count.\n",
              out);
    if (spec_check_data(&p->spec, &e) == ST_OK)
        return;
    fputs("\nNote: ", out);
    table_print_escaped(out, e.text);
    fputc('\n', out);
}

static enum status write_plan(const struct output *o, const struct plan *p, struct err *e)
{
    struct table_column columns[sizeof trial_columns / sizeof *trial_columns];
    memcpy(columns, trial_columns, sizeof columns);
    bool skipped = false;
    for (int i = 0; i < p->space.trial_count; i++)
        skipped |= p->space.trials[i].skip_reason != NULL;
    if (!skipped)
        columns[COLUMN_SKIPPED].flags |= TABLE_NOT_TEXT;
    const struct section sections[] = {
        {.name = "trials", .columns = columns, .count = COLUMN_SKIPPED + 1, .rows = trial_rows},
        {.name = "blocks", SECTION_COLUMNS(block_columns), .rows = block_rows},
        {.name = "totals",
         SECTION_COLUMNS(total_columns),
         .record = true,
         .rows = total_rows,
         .note = total_note},
    };
    return output_sections(o, sections, sizeof sections / sizeof *sections, 0, p, e);
}

static enum status print_reference(struct err *e)
{
    char *text = NULL;
    enum status st = spec_reference(&text, e);
    if (st == ST_OK)
        fputs(text, stdout);
    mem_free(text);
    return st;
}

static enum status plan_run(const struct args *a, struct err *e)
{
    struct output o;
    struct plan p;
    enum status st = output_init(&o, a, e);
    if (st == ST_OK && a->value[OPTION_REFERENCE])
        return print_reference(e);
    if (st == ST_OK && !a->positional[0])
        st = err_set(e, ST_USAGE, "missing argument, expected SPEC, see firesweep plan --help");
    if (st != ST_OK)
        return err_prefix(e, "plan");
    st = spec_load(a->positional[0], &p.spec, e);
    if (st == ST_OK) {
        st = space_build(&p.spec, &p.space, e);
        if (st == ST_OK)
            st = write_plan(&o, &p, e);
        space_release(&p.space);
    }
    spec_release(&p.spec);
    return st;
}

const struct command command_plan = {
    .name = "plan",
    .summary = "Trials of a sweep and their cost, without touching the data",
    .positionals = "SPEC",
    .positional_min = 0,
    .positional_max = 1,
    .description = "Expands a sweep spec into its trials and says what each one costs: parameters, model "
                   "size, multiply-accumulates and peak activation memory per image (inference), and the "
                   "arithmetic of training. Equal trials of several blocks are one trial. Nothing is read "
                   "but the spec.",
    .examples = "  firesweep plan experiments/quickstart.yaml\n"
                "  firesweep plan --reference\n"
                "  firesweep plan sweep.yaml --only totals\n"
                "  firesweep plan sweep.yaml --format csv > trials.csv\n",
    .options = options,
    .run = plan_run,
};
