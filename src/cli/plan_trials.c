/* The trials of a plan, one row each. */
#include <json-c/json.h>
#include <string.h>

#include "cli/plan_internal.h"

static const struct table_column trial_columns[PLAN_TRIAL_COLUMNS] = {
    {.name = "trial"},
    {.name = "blocks", .title = "block", .flags = TABLE_NOT_JSON},
    {.name = "blocks", .flags = TABLE_NOT_TEXT | TABLE_NOT_CSV | TABLE_JSON_VALUE},
    {.name = "axes", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "axes", .flags = TABLE_NOT_TEXT | TABLE_JSON_VALUE},
    {.name = "seed"},
    {.name = "epochs"},
    {.name = "params", .title = "parameters"},
    {.name = "MiB", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "8 bit", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "6 bit", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "model_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "model_bytes_8bit", .flags = TABLE_NOT_TEXT},
    {.name = "model_bytes_6bit", .flags = TABLE_NOT_TEXT},
    {.name = "macs", .title = "MACs"},
    {.name = "activation MiB", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "activation_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "training MiB", .title = "activation MiB, training", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "train_activation_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "train_operations_per_image", .flags = TABLE_NOT_TEXT},
    {.name = "worker MiB", .decimals = 1, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "worker_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "predicted_s", .flags = TABLE_NOT_TEXT},
    {.name = "predicted_low_s", .flags = TABLE_NOT_TEXT},
    {.name = "predicted_high_s", .flags = TABLE_NOT_TEXT},
    {.name = "predicted s", .title = "predicted s (likely range)", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "arch_hash", .flags = TABLE_NOT_TEXT},
    {.name = "skip_reason", .title = "skipped by"},
    {.name = "change", .title = "in the database", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "change", .flags = TABLE_NOT_TEXT},
    {.name = "epochs_done", .flags = TABLE_NOT_TEXT},
    {.name = "why_new", .flags = TABLE_NOT_TEXT},
};
enum {
    COLUMN_CHANGE = PLAN_TRIAL_COLUMNS - 4,
    COLUMN_SKIPPED = PLAN_TRIAL_COLUMNS - 5,
    COLUMN_PREDICTED = PLAN_TRIAL_COLUMNS - 7 /* that of text */
};

void plan_format_axes(struct strbuf *b, const char *axes)
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
    for (int i = p->first_membership[trial]; i >= 0; i = p->next_membership[i]) {
        const struct membership *m = &p->space.memberships[i];
        if (m->block == last)
            continue;
        const char *id = p->spec.blocks[m->block].id;
        strbuf_printf(blocks, "%s%s", blocks->len ? "," : "", id);
        strbuf_printf(json, "%s\"%s\"", json->len ? ", " : "[", id);
        *axes = *axes ? *axes : m->axes;
        last = m->block;
    }
    strbuf_puts(json, "]");
}

/* Three digits, which is more than predictions are good for, and all of a whole number. */
static void format_number(double s, char out[16])
{
    snprintf(out, 16, s < 100 ? "%.3g" : "%.0f", s);
}

/* "31.4 (29.8 - 33)"; NULL when not known. */
static const char *format_seconds(double s, const struct prediction_error *error, char *out, size_t n)
{
    if (!(s > 0))
        return NULL;
    char text[3][16];
    format_number(s, text[0]);
    format_number(s * error->low, text[1]);
    format_number(s * error->high, text[2]);
    snprintf(out, n, "%s (%s - %s)", text[0], text[1], text[2]);
    return out;
}

static enum status trial_row(const struct plan *p, int index, struct table *t, struct err *e)
{
    const struct trial *trial = &p->space.trials[index];
    const struct cost *c = &trial->cost;
    const double memory = forecast_memory(&p->forecast, index, p->packing.threads, p->images.train);
    struct strbuf blocks = STRBUF_INIT, blocks_json = STRBUF_INIT, axes_text = STRBUF_INIT;
    const char *axes;
    const double seconds = plan_predicted_s(p, index);
    const struct prediction_error error = plan_error(p);
    char change[256], predicted[64];
    const struct trial_change *in_db = p->changes.db ? &p->changes.found.trials[index] : NULL;
    collect_memberships(p, index, &blocks, &blocks_json, &axes);
    plan_format_axes(&axes_text, axes);
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
        cell_real((double)c->model_bytes_8bit / MIB),
        cell_real((double)c->model_bytes_6bit / MIB),
        cell_int(c->model_bytes),
        cell_int(c->model_bytes_8bit),
        cell_int(c->model_bytes_6bit),
        cell_int(c->macs),
        cell_real((double)c->activation_bytes / MIB),
        cell_int(c->activation_bytes),
        cell_real((double)c->train_activation_bytes / MIB),
        cell_int(c->train_activation_bytes),
        cell_real(plan_operations_per_image(trial)),
        plan_known(memory / MIB),
        memory > 0 ? cell_int((int64_t)memory) : cell_null(),
        plan_known(seconds),
        plan_known(seconds * error.low),
        plan_known(seconds * error.high),
        cell_text(format_seconds(seconds, &error, predicted, sizeof predicted)),
        cell_text(trial->arch_hash),
        cell_text(trial->skip_reason),
        cell_text(plan_change_text(&p->changes, index, change, sizeof change)),
        cell_text(in_db ? change_name(in_db->change) : NULL),
        in_db ? cell_int(in_db->epochs_done) : cell_null(),
        cell_text(in_db ? in_db->why : NULL),
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
    for (int i = 0; i < p->shown && st == ST_OK; i++)
        st = trial_row(p, i, t, e);
    return st;
}

static void trial_note(const void *context, FILE *out)
{
    const struct plan *p = context;
    if (p->shown < p->space.trial_count)
        fprintf(out, "... and %d more: --only trials, or --format csv or json\n",
                p->space.trial_count - p->shown);
}

struct section plan_trials_section(const struct plan *p, struct table_column columns[PLAN_TRIAL_COLUMNS])
{
    memcpy(columns, trial_columns, sizeof trial_columns);
    bool skipped = false;
    for (int i = 0; i < p->space.trial_count; i++)
        skipped |= p->space.trials[i].skip_reason != NULL;
    if (!skipped)
        columns[COLUMN_SKIPPED].flags |= TABLE_NOT_TEXT;
    if (!p->has_speed || p->images.train < 0)
        columns[COLUMN_PREDICTED].flags |= TABLE_NOT_TEXT;
    if (!p->changes.db)
        columns[COLUMN_CHANGE].flags |= TABLE_NOT_TEXT;
    return (struct section){.name = "trials",
                            .columns = columns,
                            .count = PLAN_TRIAL_COLUMNS,
                            .rows = trial_rows,
                            .note = trial_note};
}
