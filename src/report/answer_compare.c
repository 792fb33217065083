/* Two variants side by side, seed by seed. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "report/answer_blocks.h"
#include "report/answers.h"
#include "report/compare.h"
#include "report/rungs.h"
#include "report/settings.h"
#include "sweep/store_filter.h"

/* What is compared; shares in percent. */
static const struct quantity {
    const char *column, *name; /* of a trial; of a row of the answer, with its unit */
    double scale;
    int decimals;
    const char *unit;
} quantities[] = {
    {"test_top1", "test_top1_pct", 100, 1, " (percentage points)"},
    {"test_top5", "test_top5_pct", 100, 1, " (percentage points)"},
    {"val_top1", "val_top1_pct", 100, 1, " (percentage points)"},
    {"test_loss", "test_loss", 1, 3, ""},
    {"val_loss", "val_loss", 1, 3, ""},
    {"train_s", "train_s", 1, 1, ""},
};
enum { QUANTITIES = sizeof quantities / sizeof *quantities };

/* The columns of groups_sql before and behind what can tell two sides apart. */
enum { SETTINGS_AT = 3, SETTINGS_MAX = 48, SETTING_TEXT = 160 };
static const char settings_end[] = "params";

/* One side: its replicates. */
struct side {
    const char *given, *what;               /* a condition or number; what it is called in messages */
    char key[SETTINGS_MAX][24];             /* what tells sides apart */
    char value[SETTINGS_MAX][SETTING_TEXT]; /* "" where there is none */
    int settings;
    char name[160];                 /* how the answer calls it */
    int64_t variant, recipe, trial; /* trial: one of them, it tells the data */
    size_t count, capacity;
    struct replicate_value *values; /* values[replicate * QUANTITIES + quantity] */
};

const struct table_column *compare_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "quantity"},   {.name = "n"},        {.name = "a"},         {.name = "b"},
        {.name = "difference"}, {.name = "ci95_low"}, {.name = "ci95_high"}, {.name = "verdict"},
    };
    *count = sizeof columns / sizeof *columns;
    return columns;
}

static const char groups_sql[] =
    "SELECT t.variant_id AS variant, t.recipe_id AS recipe, min(t.id) AS trial, " SETTINGS_OF_VARIANT(
        "v") ", " SETTINGS_OF_RECIPE("r") ", v.params, v.model_bytes, r.epochs,"
                                          " v.model_bytes / 1048576.0 AS model_mib, v.macs, "
                                          "v.activation_bytes, d.latency_ms, d.latency_p95_ms,"
                                          " d.infer_img_s, d.infer_bytes / 1048576.0 AS infer_mib FROM trial "
                                          "t JOIN variant v ON v.id = t.variant_id"
                                          " JOIN recipe r ON r.id = t.recipe_id LEFT JOIN deployment d ON "
                                          "d.variant_id = t.variant_id"
                                          " WHERE t.state = 'done' AND EXISTS (SELECT 1 FROM block_trial m "
                                          "WHERE m.trial_id = t.id AND m.in_spec)"
                                          " AND NOT " SHORTER_RUNG(
                                              "t.id") " GROUP BY t.variant_id, t.recipe_id, "
                                                      "t.data_fingerprint ORDER BY t.variant_id, t.recipe_id";

/* As a spec calls the column. */
static const char *key_of(const char *column)
{
    return strcmp(column, "sr") == 0 ? "SR" : strcmp(column, "epochs_planned") == 0 ? "epochs" : column;
}

static void take_settings(const struct store_query *q, struct side *side)
{
    const int columns = store_query_columns(q);
    side->settings = 0;
    for (int i = SETTINGS_AT; i < columns && side->settings < SETTINGS_MAX; i++) {
        const struct cell c = store_query_cell(q, i);
        char *to = side->value[side->settings];
        if (strcmp(store_query_column(q, i), settings_end) == 0)
            break;
        snprintf(side->key[side->settings++], sizeof side->key[0], "%s", key_of(store_query_column(q, i)));
        to[0] = '\0';
        if (c.type == CELL_REAL)
            num_format_double(c.r, to);
        else if (c.type == CELL_INT)
            snprintf(to, SETTING_TEXT, "%" PRId64, c.i);
        else if (c.type == CELL_TEXT)
            snprintf(to, SETTING_TEXT, "%s", c.text);
    }
}

/* "SR 0.75" and "SR 1": by what differs; where that says too little, or is missing, as the user did. */
static void name_sides(struct side *a, struct side *b)
{
    struct side *const sides[] = {a, b};
    bool named = false, complete = true;
    for (int k = 0; k < 2; k++) {
        size_t used = 0;
        sides[k]->name[0] = '\0';
        for (int i = 0; i < a->settings && complete; i++) {
            const char *value = sides[k]->value[i];
            if (strcmp(a->value[i], b->value[i]) == 0)
                continue;
            const int n = snprintf(sides[k]->name + used, sizeof a->name - used, "%s%s %s", used ? ", " : "",
                                   a->key[i], value);
            used += (size_t)n;
            complete = *value && used < sizeof a->name;
            named = true;
        }
    }
    for (int k = 0; k < 2 && !(named && complete); k++)
        snprintf(sides[k]->name, sizeof a->name, "%s", sides[k]->given);
}

/* The groups that meet a side's condition. */
struct found {
    size_t count;
    struct strbuf names;        /* the first ones */
    struct side first;          /* settings only */
    bool differs[SETTINGS_MAX]; /* from the first one */
};

static void add_found(struct found *f, const struct side *side)
{
    enum { NAMED = 8 };
    if (f->count == 0)
        f->first = *side;
    for (int i = 0; i < side->settings; i++)
        f->differs[i] |= strcmp(side->value[i], f->first.value[i]) != 0;
    if (f->count++ < NAMED)
        strbuf_printf(&f->names, "%s%" PRId64 "/%" PRId64, f->names.len ? ", " : "", side->variant,
                      side->recipe);
    else if (f->count == NAMED + 1)
        strbuf_puts(&f->names, ", ...");
}

static enum status found_many(const struct found *f, const struct side *side, struct err *e)
{
    char keys[200] = "";
    size_t used = 0;
    for (int i = 0; i < side->settings && used < sizeof keys; i++)
        if (f->differs[i])
            used += (size_t)snprintf(keys + used, sizeof keys - used, "%s%s", used ? ", " : "", side->key[i]);
    return err_set(
        e, ST_USAGE,
        "%s: %zu results meet \"%.80s\": %s (VARIANT/RECIPE); it must be one. They differ in %s: say it in "
        "the condition, or give one of these",
        side->what, f->count, side->given, f->names.text, keys[0] ? keys : "their data");
}

/* Exactly one group, or what is wrong. */
static enum status read_groups(struct store_query *q, struct side *side, struct err *e)
{
    struct found found = {.names = STRBUF_INIT};
    enum status st = ST_OK;
    for (bool row = true; st == ST_OK && row;) {
        st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            break;
        side->variant = store_query_cell(q, 0).i;
        side->recipe = store_query_cell(q, 1).i;
        side->trial = store_query_cell(q, 2).i;
        take_settings(q, side);
        add_found(&found, side);
    }
    if (st == ST_OK && found.count == 0)
        st =
            err_set(e, ST_USAGE,
                    "%s: no finished variant meets \"%.80s\"; numbers are those of the column variant, as in "
                    "\"firesweep query DB leaderboard\"",
                    side->what, side->given);
    if (st == ST_OK && found.count > 1)
        st = found.names.failed ? err_set(e, ST_NOMEM, "out of memory") : found_many(&found, side, e);
    strbuf_release(&found.names);
    return st;
}

/* "3" is variant 3, "3/2" variant 3 trained by recipe 2. */
static bool number_condition(const char *given, char *out, size_t size)
{
    char variant[24];
    int64_t number, recipe;
    const char *slash = strchr(given, '/');
    const size_t n = slash ? (size_t)(slash - given) : strlen(given);
    if (n >= sizeof variant)
        return false;
    memcpy(variant, given, n);
    variant[n] = '\0';
    if (!num_parse_int(variant, &number) || (slash && !num_parse_int(slash + 1, &recipe)))
        return false;
    const int used = snprintf(out, size, "variant = %" PRId64, number);
    if (slash)
        snprintf(out + used, size - (size_t)used, " and recipe = %" PRId64, recipe);
    return true;
}

static enum status find_side(struct store *s, struct side *side, struct err *e)
{
    char condition[96];
    struct store_filter f = {.where = side->given, .label = "", .limit = -1};
    if (number_condition(side->given, condition, sizeof condition))
        f.where = condition;
    struct store_query *q = NULL;
    enum status st = store_query_open_filtered(s, groups_sql, &f, &q, e);
    if (st == ST_OK)
        st = read_groups(q, side, e);
    else
        err_prefix(e, "%s: \"%.80s\"", side->what, side->given);
    store_query_close(q);
    return st;
}

static bool reserve(struct side *side)
{
    if (side->count < side->capacity)
        return true;
    const size_t larger = side->capacity ? 2 * side->capacity : 8;
    struct replicate_value *values = mem_realloc(side->values, larger * QUANTITIES, sizeof *values);
    if (!values)
        return false;
    side->values = values;
    side->capacity = larger;
    return true;
}

/* Rows come replicate by replicate. */
static enum status read_replicates(struct store_query *q, struct side *side, struct err *e)
{
    for (bool row = true;;) {
        const enum status st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            return st;
        if (!reserve(side))
            return err_set(e, ST_NOMEM, "out of memory");
        for (int k = 0; k < QUANTITIES; k++) {
            const struct cell cell = store_query_cell(q, k + 1);
            side->values[side->count * QUANTITIES + (size_t)k] =
                (struct replicate_value){store_query_cell(q, 0).i, cell.type == CELL_REAL  ? cell.r
                                                                   : cell.type == CELL_INT ? (double)cell.i
                                                                                           : NAN};
        }
        side->count++;
    }
}

static enum status load_side(struct store *s, struct side *side, struct err *e)
{
    enum status st = find_side(s, side, e);
    if (st != ST_OK)
        return st;
    struct strbuf sql = STRBUF_INIT;
    strbuf_puts(&sql, "SELECT seed");
    for (int k = 0; k < QUANTITIES; k++)
        strbuf_printf(&sql, ", %s", quantities[k].column);
    strbuf_printf(&sql,
                  " FROM trial WHERE state = 'done' AND variant_id = %" PRId64 " AND recipe_id = %" PRId64
                  " AND data_fingerprint = (SELECT data_fingerprint FROM trial WHERE id = %" PRId64
                  ") AND EXISTS (SELECT 1 FROM block_trial m WHERE m.trial_id = trial.id AND m.in_spec)"
                  " ORDER BY seed",
                  side->variant, side->recipe, side->trial);
    struct store_query *q = NULL;
    st = sql.failed ? err_set(e, ST_NOMEM, "out of memory") : store_query_open(s, sql.text, &q, e);
    if (st == ST_OK)
        st = read_replicates(q, side, e);
    store_query_close(q);
    strbuf_release(&sql);
    return st;
}

static void column(const struct side *side, int k, struct replicate_value *out)
{
    for (size_t i = 0; i < side->count; i++)
        out[i] = side->values[i * QUANTITIES + (size_t)k];
}

/* A quantity that neither side has is left out. */
static enum status compare_quantity(const struct side *a, const struct side *b, int k,
                                    struct replicate_value *values, double *scratch, struct table *t,
                                    struct err *e)
{
    column(a, k, values);
    column(b, k, values + a->count);
    const struct comparison c = compare_paired(values, a->count, values + a->count, b->count, scratch);
    if (c.difference.n == 0 && k > 0)
        return ST_OK;
    char text[400];
    const size_t n = sizeof text - 32;
    compare_sentence(&c.difference, a->name, b->name, quantities[k].scale, quantities[k].decimals, text, n);
    if (c.difference.n > 0 && (c.difference.mean != 0 || c.difference.half_width != 0))
        snprintf(text + strlen(text), 32, "%s", quantities[k].unit);
    const struct summary *d = &c.difference;
    const double scale = quantities[k].scale;
    const struct cell cells[] = {cell_text(quantities[k].name),
                                 cell_int((int64_t)d->n),
                                 answer_number(c.a.mean * scale),
                                 answer_number(c.b.mean * scale),
                                 answer_number(d->mean * scale),
                                 answer_number((d->mean - d->half_width) * scale),
                                 answer_number((d->mean + d->half_width) * scale),
                                 cell_text(text)};
    return table_row(t, cells, e);
}

enum status compare_rows(struct store *s, const char *a, const char *b, struct table *t, struct err *e)
{
    struct side first = {.given = a, .what = "compare A"}, second = {.given = b, .what = "compare B"};
    enum status st = load_side(s, &first, e);
    if (st == ST_OK)
        st = load_side(s, &second, e);
    name_sides(&first, &second);
    struct replicate_value *values = mem_alloc(first.count + second.count + 1, sizeof *values);
    double *scratch = mem_alloc(3 * first.count + 1, sizeof *scratch);
    if (st == ST_OK && (!values || !scratch))
        st = err_set(e, ST_NOMEM, "out of memory");
    for (int k = 0; k < QUANTITIES && st == ST_OK; k++)
        st = compare_quantity(&first, &second, k, values, scratch, t, e);
    mem_free(values);
    mem_free(scratch);
    mem_free(first.values);
    mem_free(second.values);
    return st;
}
