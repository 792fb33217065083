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
enum { DATA_AT = 3, SETTINGS_AT, SETTINGS_MAX = 48, SETTING_TEXT = 160 };
static const char settings_end[] = "params";

/* What tells sides apart. The last setting is the data: called by the sweep it is of, told by fingerprint. */
struct settings {
    char data[80];
    int count;
    char key[SETTINGS_MAX][24];
    char value[SETTINGS_MAX][SETTING_TEXT]; /* "" where there is none */
};

/* One side: its replicates. */
struct side {
    const char *given, *what; /* a condition or number; what it is called in messages */
    struct settings settings;
    char name[400];                 /* how the answer calls it */
    int64_t variant, recipe, trial; /* trial: one of them, it tells the data */
    size_t count, capacity;
    struct replicate_value *values; /* values[replicate * QUANTITIES + quantity] */
};

const struct table_column *compare_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "quantity"},
        {.name = "n"},
        {.name = "a"},
        {.name = "b"},
        {.name = "difference"},
        {.name = "ci95_low"},
        {.name = "ci95_high"},
        {.name = "verdict"},
        {.name = "side_a", .flags = TABLE_VARYING},
        {.name = "side_b", .flags = TABLE_VARYING},
    };
    *count = sizeof columns / sizeof *columns;
    return columns;
}

/* A row for each variant, recipe, data and point of a block, and for each name of the block: with its sweep's
 * and without; so a condition can name any of them. Rows of the same variant, recipe and data are one, the
 * first that meets the condition. */
/* clang-format off */
static const char groups_sql[] =
    "SELECT t.variant_id AS variant, t.recipe_id AS recipe, min(iif(t.state = 'done', t.id, NULL)) AS trial,"
    " hex(t.data_fingerprint) AS data, " SETTINGS_OF_POINT("p") ", " SETTINGS_OF_VARIANT_BUT_POINT("v", "p")
    ", " SETTINGS_OF_RECIPE("r")
    ", v.params, v.macs, v.model_bytes / 1048576.0 AS model_mib, " COSTS_OF_VARIANT("v") ", r.epochs,"
    " d.latency_ms, d.latency_p95_ms, d.infer_img_s, d.infer_bytes / 1048576.0 AS infer_mib, s.name AS sweep,"
    " b.name AS block, sum(t.state = 'done') AS n,"
    " group_concat(DISTINCT t.state) AS state"
    " FROM trial t JOIN block_trial m ON m.trial_id = t.id AND m.in_spec LEFT" JOIN_POINT("m", "p")
    " JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id"
    " JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id"
    " LEFT JOIN deployment d ON d.variant_id = t.variant_id"
    " WHERE NOT " SHORTER_RUNG("t.id")
    " GROUP BY t.variant_id, t.recipe_id, t.data_fingerprint, b.id, m.axes"
    " ORDER BY t.variant_id, t.recipe_id, t.data_fingerprint, b.sweep_id, b.position, m.position";
/* clang-format on */

/* As a spec calls the column. */
static const char *key_of(const char *column)
{
    return strcmp(column, "sr") == 0 ? "SR" : strcmp(column, "epochs_planned") == 0 ? "epochs" : column;
}

static int column_at(const struct store_query *q, const char *name)
{
    int i = 0;
    while (strcmp(store_query_column(q, i), name) != 0)
        i++;
    return i;
}

static const char *text_at(const struct store_query *q, int column)
{
    const struct cell c = store_query_cell(q, column);
    return c.type == CELL_TEXT ? c.text : "";
}

static void take_settings(const struct store_query *q, struct settings *out)
{
    const int end = column_at(q, settings_end);
    out->count = 0;
    for (int i = SETTINGS_AT; i < end && out->count < SETTINGS_MAX - 1; i++) {
        const struct cell c = store_query_cell(q, i);
        char *to = out->value[out->count];
        snprintf(out->key[out->count++], sizeof out->key[0], "%s", key_of(store_query_column(q, i)));
        to[0] = '\0';
        if (c.type == CELL_REAL)
            num_format_double(c.r, to);
        else if (c.type == CELL_INT)
            snprintf(to, SETTING_TEXT, "%" PRId64, c.i);
        else if (c.type == CELL_TEXT)
            snprintf(to, SETTING_TEXT, "%s", c.text);
    }
    snprintf(out->data, sizeof out->data, "%s", text_at(q, DATA_AT));
    snprintf(out->value[out->count], SETTING_TEXT, "%s", text_at(q, column_at(q, "sweep")));
    snprintf(out->key[out->count++], sizeof out->key[0], "data of sweep");
}

static bool is_data(const struct settings *s, int setting)
{
    return setting == s->count - 1;
}

/* Whether a setting tells two results apart; what one's optimizer does not read is told by the optimizer. */
static bool setting_tells(const struct settings *a, const struct settings *b, int i)
{
    if (is_data(a, i))
        return strcmp(a->data, b->data) != 0;
    const bool both = *a->value[i] && *b->value[i];
    return strcmp(a->value[i], b->value[i]) != 0 &&
           (both || !settings_hold(SETTINGS_OF_OPTIMIZERS, a->key[i]));
}

/* "SR 0.75" and "SR 1": by what differs; where that says too little, or is missing, as the user did. */
static void name_sides(struct side *a, struct side *b)
{
    struct side *const sides[] = {a, b};
    bool named = false, complete = true;
    for (int k = 0; k < 2; k++) {
        size_t used = 0;
        sides[k]->name[0] = '\0';
        for (int i = 0; i < a->settings.count && complete; i++) {
            const char *value = sides[k]->settings.value[i];
            if (!setting_tells(&a->settings, &b->settings, i))
                continue;
            const int n = snprintf(sides[k]->name + used, sizeof a->name - used, "%s%s %s",
                                   used ? " and " : "", a->settings.key[i], value);
            used += (size_t)n;
            complete = *value && used < sizeof a->name;
            named = true;
        }
    }
    const int data = a->settings.count - 1;
    for (int k = 0; k < 2 && !(named && complete); k++)
        if (setting_tells(&a->settings, &b->settings, data))
            snprintf(sides[k]->name, sizeof a->name, "%.200s (%s %s)", sides[k]->given, a->settings.key[data],
                     sides[k]->settings.value[data]);
        else
            snprintf(sides[k]->name, sizeof a->name, "%s", sides[k]->given);
}

/* The results that meet a side's condition. */
enum { FOUND_NAMED = 6 };
struct found {
    size_t count;
    char unfinished[80]; /* states of the first one that has no result, "" where there is none */
    struct found_result {
        int64_t variant, recipe;
        struct settings settings;
    } first[FOUND_NAMED];
};

static void add_found(struct found *f, const struct store_query *q, struct side *side)
{
    const int64_t variant = store_query_cell(q, 0).i, recipe = store_query_cell(q, 1).i;
    if (store_query_cell(q, 2).type == CELL_NULL) {
        if (!*f->unfinished)
            snprintf(f->unfinished, sizeof f->unfinished, "%s", text_at(q, column_at(q, "state")));
        return;
    }
    if (f->count > 0 && variant == side->variant && recipe == side->recipe &&
        strcmp(text_at(q, DATA_AT), side->settings.data) == 0)
        return; /* another point, block or spelling of it */
    side->variant = variant;
    side->recipe = recipe;
    side->trial = store_query_cell(q, 2).i;
    take_settings(q, &side->settings);
    if (f->count < FOUND_NAMED) {
        struct found_result *r = &f->first[f->count];
        *r = (struct found_result){.variant = variant, .recipe = recipe, .settings = side->settings};
    }
    f->count++;
}

/* Whether the first results differ in a setting. Of one variant and recipe only the data tells: the others
 * are names of one thing. */
static bool found_differ(const struct found *f, int setting)
{
    const struct found_result *first = &f->first[0];
    for (size_t k = 1; k < f->count && k < FOUND_NAMED; k++) {
        const struct found_result *r = &f->first[k];
        if ((r->variant != first->variant || r->recipe != first->recipe ||
             is_data(&first->settings, setting)) &&
            setting_tells(&r->settings, &first->settings, setting))
            return true;
    }
    return false;
}

static enum status found_many(const struct found *f, const struct side *side, struct err *e)
{
    struct strbuf keys = STRBUF_INIT, names = STRBUF_INIT;
    const struct settings *first = &f->first[0].settings;
    const bool data = found_differ(f, first->count - 1);
    for (int i = 0; i < first->count; i++)
        if (found_differ(f, i))
            strbuf_printf(&keys, "%s%s", keys.len ? ", " : "", is_data(first, i) ? "sweep" : first->key[i]);
    for (size_t k = 0; k < f->count && k < FOUND_NAMED; k++) {
        const struct found_result *r = &f->first[k];
        const char *before = " (";
        strbuf_printf(&names, "%s%" PRId64 "/%" PRId64, k ? ", " : "", r->variant, r->recipe);
        for (int i = 0; i < first->count; i++) {
            if (!found_differ(f, i))
                continue;
            strbuf_printf(&names, "%s%s %.40s", before, first->key[i],
                          *r->settings.value[i] ? r->settings.value[i] : "not set");
            before = ", ";
        }
        if (keys.len == 0)
            strbuf_printf(&names, " (sweep %s", r->settings.value[first->count - 1]);
        strbuf_puts(&names, ")");
    }
    const enum status st =
        keys.failed || names.failed
            ? err_set(e, ST_NOMEM, "out of memory")
            : err_set(e, ST_USAGE,
                      "%s: %zu results meet \"%.80s\", it must be one; say %s in the condition%s: %.700s%s",
                      side->what, f->count, side->given, keys.len ? keys.text : "sweep",
                      keys.len && !data ? " (sweep and block can be named too), or VARIANT/RECIPE" : "",
                      names.text, f->count > FOUND_NAMED ? ", ..." : "");
    strbuf_release(&keys);
    strbuf_release(&names);
    return st;
}

static enum status found_none(const struct found *f, const struct side *side, const char *narrowed,
                              struct err *e)
{
    if (*f->unfinished)
        return err_set(e, ST_USAGE, "%s: what meets \"%.80s\"%s has no result, its trials are %s", side->what,
                       side->given, narrowed, f->unfinished);
    const bool number = side->given[strspn(side->given, "0123456789/")] == '\0';
    return err_set(
        e, ST_USAGE, "%s: no finished variant meets \"%.80s\"%s; %s", side->what, side->given, narrowed,
        number ? "numbers are those of the column variant, as in \"firesweep query DB leaderboard\""
               : "\"firesweep query DB leaderboard\" lists those there are");
}

/* Exactly one result, or what is wrong. */
static enum status read_groups(struct store_query *q, bool narrowed, struct side *side, struct err *e)
{
    struct found *found = mem_calloc(1, sizeof *found);
    if (!found)
        return err_set(e, ST_NOMEM, "out of memory");
    enum status st = ST_OK;
    for (bool row = true; st == ST_OK && row;) {
        st = store_query_next(q, &row, e);
        if (st == ST_OK && row)
            add_found(found, q, side);
    }
    if (st == ST_OK && found->count == 0)
        st = found_none(found, side, narrowed ? " and --where" : "", e);
    if (st == ST_OK && found->count > 1)
        st = found_many(found, side, e);
    mem_free(found);
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

enum status compare_check(struct store *s, const char *where, struct err *e)
{
    struct store_query *q = NULL;
    const struct store_filter f = {.where = where, .limit = -1};
    const enum status st = store_query_open_filtered(s, groups_sql, &f, &q, e);
    store_query_close(q);
    return st;
}

/* Mistakes in the side's own condition are told by their place in it; then `where` is added. */
static enum status find_side(struct store *s, const char *where, struct side *side, struct err *e)
{
    char condition[96];
    struct store_filter f = {.where = side->given, .label = "", .limit = -1};
    if (number_condition(side->given, condition, sizeof condition))
        f.where = condition;
    struct store_query *q = NULL;
    enum status st = store_query_open_filtered(s, groups_sql, &f, &q, e);
    if (st != ST_OK)
        err_prefix(e, "%s: \"%.80s\"", side->what, side->given);
    char *both = st == ST_OK && where ? mem_printf("(%s) and (%s)", f.where, where) : NULL;
    if (st == ST_OK && where) {
        store_query_close(q);
        q = NULL;
        f.where = both;
        st = both ? store_query_open_filtered(s, groups_sql, &f, &q, e)
                  : err_set(e, ST_NOMEM, "out of memory");
    }
    if (st == ST_OK)
        st = read_groups(q, where != NULL, side, e);
    store_query_close(q);
    mem_free(both);
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

static enum status load_side(struct store *s, const char *where, struct side *side, struct err *e)
{
    enum status st = find_side(s, where, side, e);
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

/* Decimals for the difference of two numbers of which the larger one is `v`: three of its digits, and at
 * least as many as usual. */
static int decimals_of(double v, int usual)
{
    enum { MOST = 6 };
    const double wanted = v > 0 ? 2 - floor(log10(v)) : usual;
    return wanted <= usual ? usual : wanted >= MOST ? MOST : (int)wanted;
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
    const int decimals =
        decimals_of(fmax(fabs(c.a.mean), fabs(c.b.mean)) * quantities[k].scale, quantities[k].decimals);
    compare_sentence(&c.difference, "A", "B", quantities[k].scale, decimals, text, n);
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
                                 cell_text(text),
                                 cell_text(a->name),
                                 cell_text(b->name)};
    return table_row(t, cells, e);
}

/* Both sides' results are one: nothing is left to compare. */
static enum status check_sides(const struct side *a, const struct side *b, struct err *e)
{
    if (a->trial != b->trial)
        return ST_OK;
    return err_set(e, ST_USAGE,
                   "compare: \"%.80s\" and \"%.80s\" are one variant with one recipe, %" PRId64 "/%" PRId64
                   ", trained once; it takes two",
                   a->given, b->given, a->variant, a->recipe);
}

enum status compare_rows(struct store *s, const char *a, const char *b, const char *where, struct table *t,
                         struct err *e)
{
    struct side first = {.given = a, .what = "compare A"}, second = {.given = b, .what = "compare B"};
    enum status st = load_side(s, where, &first, e);
    if (st == ST_OK)
        st = load_side(s, where, &second, e);
    if (st == ST_OK)
        st = check_sides(&first, &second, e);
    if (st == ST_OK)
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
