#include "report/block_results.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "report/settings.h"
#include "sweep/spec.h"
#include "sweep/spec_fields.h"

void block_results_init(struct block_results *r)
{
    *r = (struct block_results){0};
    axes_init(&r->axes);
}

void block_results_release(struct block_results *r)
{
    axes_release(&r->axes);
    mem_free(r->point);
    mem_free(r->y);
    mem_free(r->seed);
    mem_free(r->level);
    block_results_init(r);
}

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot read the results of a block: out of memory");
}

static enum status add(struct block_results *r, size_t *capacity, const char *axes, double y, int64_t seed,
                       struct err *e)
{
    if (r->count == *capacity) {
        const size_t larger = *capacity ? 2 * *capacity : 64;
        size_t *point = mem_realloc(r->point, larger, sizeof *point);
        r->point = point ? point : r->point;
        double *values = mem_realloc(r->y, larger, sizeof *values);
        r->y = values ? values : r->y;
        int64_t *seeds = mem_realloc(r->seed, larger, sizeof *seeds);
        r->seed = seeds ? seeds : r->seed;
        if (!point || !values || !seeds)
            return no_memory(e);
        *capacity = larger;
    }
    const enum status st = axes_point(&r->axes, axes, &r->point[r->count], e);
    if (st != ST_OK)
        return st;
    r->seed[r->count] = seed;
    r->y[r->count++] = y;
    return ST_OK;
}

/* What a search has pruned is no random choice: those left are the best in what it looked at, and more alike
 * than all. */
static enum status describe_left_out(struct block_results *r, struct err *e)
{
    const char *text = left_out_text(&r->of, &r->axes.arena);
    if (text && r->of.without[TRIAL_PRUNED] > 0)
        text = arena_printf(&r->axes.arena, "%s; those left are the best, so differences look smaller", text);
    r->left_out = text && *text ? text : NULL;
    return text ? ST_OK : no_memory(e);
}

/* `lost`: the points of trials without a result. */
static enum status read_rows(struct store_query *q, struct block_results *r, struct axes *lost, struct err *e)
{
    size_t capacity = 0;
    for (bool row = true;;) {
        enum status st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            return st;
        const struct cell axes = store_query_cell(q, 0), state = store_query_cell(q, 1);
        const double y = cell_number(store_query_cell(q, 2));
        const char *ended = state.type == CELL_TEXT ? state.text : "";
        const bool has = strcmp(ended, trial_state_name(TRIAL_DONE)) == 0 && isfinite(y);
        left_out_count(&r->of, ended, has);
        const char *values = axes.type == CELL_TEXT ? axes.text : "{}";
        size_t point;
        st = has ? add(r, &capacity, values, y, store_query_cell(q, 3).i, e)
                 : axes_point(lost, values, &point, e);
        if (st != ST_OK)
            return st;
    }
}

/* A value of an axis at an observation. */
struct value {
    const char *text; /* NULL: not set */
    double number;
    size_t observation;
};

static int by_number(const void *a, const void *b)
{
    const struct value *p = a, *q = b;
    if (p->number != q->number)
        return p->number < q->number ? -1 : 1;
    return (p->observation > q->observation) - (p->observation < q->observation);
}

static bool differs(const struct value *a, const struct value *b)
{
    return strcmp(a->text ? a->text : "", b->text ? b->text : "") != 0;
}

static size_t place_among(const struct axis *a, const char *text)
{
    size_t i = 0;
    while (i < (size_t)a->count && strcmp(a->values[i].text, text) != 0)
        i++;
    return i;
}

/* The place of a word among those that the spec lists for a key; behind them where it is none ("-"), and 0
 * for all where there is no such list. */
static size_t place_in_spec(const struct block *b, const char *key, const char *text)
{
    for (int i = 0; b && i < b->random.count; i++)
        if (strcmp(b->random.params[i].axis.key, key) == 0)
            return place_among(&b->random.params[i].axis, text);
    for (int i = 0; b && i < b->grid_count; i++)
        if (strcmp(b->grid[i].key, key) == 0)
            return place_among(&b->grid[i], text);
    return 0;
}

struct word {
    const char *name;
    size_t place, met;
};

static int by_place(const void *a, const void *b)
{
    const struct word *p = a, *q = b;
    if (p->place != q->place)
        return p->place < q->place ? -1 : 1;
    return (p->met > q->met) - (p->met < q->met);
}

/* Random draws meet words in any order: levels get that of the spec. False: no memory. */
static bool sort_words(const struct block_results *r, const struct block *b, const struct block_axis *a,
                       const char **names, size_t *level)
{
    struct word *words = mem_alloc(a->levels, sizeof *words);
    size_t *to = mem_alloc(a->levels, sizeof *to);
    for (size_t k = 0; words && to && k < a->levels; k++)
        words[k] = (struct word){names[k], place_in_spec(b, a->key, names[k]), k};
    if (words && to) {
        qsort(words, a->levels, sizeof *words, by_place);
        for (size_t k = 0; k < a->levels; k++) {
            names[k] = words[k].name;
            to[words[k].met] = k;
        }
        for (size_t i = 0; i < r->count; i++)
            level[i] = to[level[i]];
    }
    const bool ok = words && to;
    mem_free(words);
    mem_free(to);
    return ok;
}

/* Words: levels in the order of the spec, else as met. False: no memory. */
static bool level_words(struct block_results *r, const struct block *b, struct block_axis *a,
                        const struct value *v, size_t *level)
{
    const char **names = arena_alloc(&r->axes.arena, r->count, sizeof *names);
    for (size_t i = 0; names && i < r->count; i++) {
        const char *text = v[i].text ? v[i].text : "-";
        size_t k = 0;
        while (k < a->levels && strcmp(names[k], text) != 0)
            k++;
        if (k == a->levels)
            names[a->levels++] = text;
        level[i] = k;
    }
    a->names = a->brief = names;
    return names && sort_words(r, b, a, names, level);
}

static const char *bin_name(struct arena *arena, double low, double high)
{
    return low == high ? arena_printf(arena, "%.4g", low) : arena_printf(arena, "%.3g to %.3g", low, high);
}

/* Numbers, ascending: a level each, or bins whose borders do not part equal numbers; then, as infinity, what
 * is not set. False: no memory. */
static bool level_numbers(struct block_results *r, struct block_axis *a, struct value *v, size_t *level)
{
    qsort(v, r->count, sizeof *v, by_number);
    size_t different = 1, count = r->count;
    while (isinf(v[count - 1].number))
        count--;
    for (size_t i = 1; i < count; i++)
        different += v[i].number != v[i - 1].number;
    a->binned = different > LEVELS_MAX;
    const size_t most = a->binned ? BIN_COUNT : different;
    const char **names = arena_alloc(&r->axes.arena, most + 1, sizeof *names);
    const char **brief = arena_alloc(&r->axes.arena, most + 1, sizeof *brief);
    size_t first = 0;
    for (size_t i = 1; names && brief && i <= count; i++) {
        const bool ends = i == count || v[i].number != v[i - 1].number;
        const bool full = !a->binned || i == count || i * BIN_COUNT >= (a->levels + 1) * count;
        if (!ends || !full)
            continue;
        names[a->levels] =
            a->binned ? bin_name(&r->axes.arena, v[first].number, v[i - 1].number) : v[first].text;
        brief[a->levels] =
            a->binned ? arena_printf(&r->axes.arena, "~%.2g", (v[first].number + v[i - 1].number) / 2)
                      : names[a->levels];
        if (!names[a->levels] || !brief[a->levels])
            return false;
        for (size_t k = first; k < i; k++)
            level[v[k].observation] = a->levels;
        a->levels++;
        first = i;
    }
    a->names = names;
    a->brief = brief;
    if (!names || !brief)
        return false;
    for (size_t k = count; k < r->count; k++)
        level[v[k].observation] = a->levels;
    if (count < r->count)
        names[a->levels] = brief[a->levels] = "-";
    a->levels += count < r->count;
    return true;
}

/* Levels of one column of the axes, into level[observation]; a->levels stays below two for a constant one. */
static bool level_column(struct block_results *r, const struct block *b, size_t column, struct block_axis *a,
                         struct value *v, size_t *level)
{
    const struct axis_column *c = &r->axes.columns[column];
    *a = (struct block_axis){.key = c->key, .numeric = true, .absent = EFFECTS_NONE};
    bool constant = true, numbers = true; /* all that is set */
    for (size_t i = 0; i < r->count; i++) {
        v[i] = (struct value){c->values[r->point[i]], INFINITY, i};
        a->numeric = a->numeric && v[i].text;
        numbers =
            numbers && (!v[i].text || (num_parse_double(v[i].text, &v[i].number) && isfinite(v[i].number)));
        constant = constant && !differs(&v[i], &v[0]);
    }
    a->numeric = a->numeric && numbers;
    if (constant)
        return true;
    return numbers ? level_numbers(r, a, v, level) : level_words(r, b, a, v, level);
}

/* Is the axis set at an observation? */
static bool is_set(const struct block_results *r, size_t axis, size_t observation)
{
    return r->axes.columns[r->column[axis]].values[r->point[observation]] != NULL;
}

/* Does the level of axis `a` tell whether axis `b` is set, and is it not always? `answers`: room for a's
 * levels. */
static bool tells_of(const struct block_results *r, size_t a, size_t b, signed char *answers)
{
    bool set = false, unset = false;
    memset(answers, -1, r->axis[a].levels);
    for (size_t i = 0; i < r->count; i++) {
        const bool is = is_set(r, b, i);
        signed char *answer = &answers[r->level[i * r->axis_count + a]];
        if (*answer >= 0 && *answer != is)
            return false;
        *answer = is;
        set |= is;
        unset |= !is;
    }
    return set && unset;
}

/* Marks what is nested: in an axis that is always set, or in one that is itself nested in such a one. */
static enum status find_nested(struct block_results *r, struct err *e)
{
    size_t most = 1;
    for (size_t k = 0; k < r->axis_count; k++)
        most = r->axis[k].levels > most ? r->axis[k].levels : most;
    signed char *answers = mem_alloc(most, 1);
    bool *anchored = mem_calloc(r->axis_count + 1, sizeof *anchored);
    for (bool again = answers && anchored; again;) {
        again = false;
        for (size_t b = 0; b < r->axis_count; b++) {
            size_t first = 0; /* observation where it is not set */
            while (first < r->count && is_set(r, b, first))
                first++;
            bool found = first == r->count;
            for (size_t a = 0; a < r->axis_count && !found && !anchored[b]; a++)
                found = a != b && anchored[a] && tells_of(r, a, b, answers);
            if (anchored[b] || !found)
                continue;
            anchored[b] = again = true;
            if (first < r->count)
                r->axis[b].absent = r->level[first * r->axis_count + b];
        }
    }
    const bool ok = answers && anchored;
    mem_free(anchored);
    mem_free(answers);
    return ok ? ST_OK : no_memory(e);
}

/* Whether an axis can have a part in the metric: a recipe has none in what the variant decides. */
static bool has_part(const struct block_results *r, const char *key)
{
    return !r->metric->of_variant || field_find(SECTION_BASE, key) != NULL;
}

static enum status find_levels(struct block_results *r, const struct block *b, struct err *e)
{
    const size_t keys = r->axes.key_count;
    r->axis = arena_alloc(&r->axes.arena, keys + 1, sizeof *r->axis);
    r->column = arena_alloc(&r->axes.arena, keys + 1, sizeof *r->column);
    struct value *v = mem_alloc(r->count, sizeof *v);
    size_t *levels = mem_alloc(r->count * (keys + 1), sizeof *levels);
    r->level = mem_alloc(r->count * (keys + 1), sizeof *r->level);
    bool ok = r->axis && r->column && v && levels && r->level;
    for (size_t k = 0; ok && k < keys; k++) {
        const size_t to = r->axis_count;
        if (!has_part(r, r->axes.columns[k].key))
            continue;
        ok = level_column(r, b, k, &r->axis[to], v, &levels[to * r->count]);
        if (r->axis[to].levels < 2)
            continue;
        r->column[to] = k;
        r->axis_count++;
    }
    for (size_t i = 0; ok && i < r->count; i++)
        for (size_t k = 0; k < r->axis_count; k++)
            r->level[i * r->axis_count + k] = levels[k * r->count + i];
    mem_free(v);
    mem_free(levels);
    return ok ? find_nested(r, e) : no_memory(e);
}

/* As numbers, if they are: a database and a spec may write 1e-05 differently. */
static bool same_value(const char *a, const char *b)
{
    double x, y;
    return strcmp(a, b) == 0 || (num_parse_double(a, &x) && num_parse_double(b, &y) && x == y);
}

/* Whether a point without a result has another value of the column, which is set and the same in all results.
 */
static bool has_lost_values(const struct block_results *r, const struct axis_column *column,
                            const struct axes *lost)
{
    const char *left = column->values[r->point[0]];
    for (size_t k = 0; left && k < lost->key_count; k++) {
        if (strcmp(lost->columns[k].key, column->key) != 0)
            continue;
        for (size_t i = 0; i < lost->point_count; i++) {
            const char *value = lost->columns[k].values[i];
            if (value && !same_value(value, left))
                return true;
        }
    }
    return false;
}

/* An axis that is missing from a table because one value is left has to be told. */
static enum status name_lost_axes(struct block_results *r, const struct axes *lost, struct err *e)
{
    struct strbuf names = STRBUF_INIT;
    for (size_t k = 0, seen = 0; k < r->axes.key_count; k++)
        if (seen < r->axis_count && r->column[seen] == k)
            seen++;
        else if (has_part(r, r->axes.columns[k].key) && has_lost_values(r, &r->axes.columns[k], lost))
            strbuf_printf(&names, "%s%s", names.len > 0 ? ", " : "", r->axes.columns[k].key);
    bool ok = !names.failed;
    if (ok && names.len > 0) {
        r->left_out =
            arena_printf(&r->axes.arena, "%s; only one value is left of: %s", r->left_out, names.text);
        ok = r->left_out;
    }
    strbuf_release(&names);
    return ok ? ST_OK : no_memory(e);
}

/* The spec of a block's sweep, into `spec`, and the block in it: NULL where that cannot be read any more. */
static const struct block *read_spec(struct store *s, int64_t block, struct spec *spec)
{
    struct store_query *q = NULL;
    struct err unused = ERR_INIT;
    const struct block *found = NULL;
    bool row = false;
    char *sql =
        mem_printf("SELECT s.spec_text, s.spec_path, b.name FROM block b JOIN sweep s ON s.id = b.sweep_id"
                   " WHERE b.id = %" PRId64,
                   block);
    *spec = (struct spec){0};
    if (sql && store_query_open(s, sql, &q, &unused) == ST_OK &&
        store_query_next(q, &row, &unused) == ST_OK && row && store_query_cell(q, 0).type == CELL_TEXT &&
        store_query_cell(q, 1).type == CELL_TEXT) {
        const char *text = store_query_cell(q, 0).text;
        if (spec_parse(text, strlen(text), store_query_cell(q, 1).text, spec, &unused) == ST_OK)
            for (int i = 0; i < spec->block_count; i++)
                if (strcmp(spec->blocks[i].id, store_query_cell(q, 2).text) == 0)
                    found = &spec->blocks[i];
    }
    store_query_close(q);
    mem_free(sql);
    return found;
}

/* A setting with one value, as SQL of a column of SETTINGS_OF_...; nothing for others. The key is the field's
 * own, so nothing that stands in a database becomes SQL. */
static void add_setting(const char *key, bool wanted, struct strbuf *b)
{
    const struct field *base = field_find(SECTION_BASE, key),
                       *f = base ? base : field_find(SECTION_TRAIN, key);
    if (!f || f->kind == FIELD_PRESET) /* what a preset sets has keys of its own */
        return;
    const char *column = strcmp(f->key, "epochs") == 0 ? "epochs_planned" : f->key; /* SQL ignores case */
    strbuf_printf(b, ", '%s', ", f->key);
    if (!wanted)
        strbuf_puts(b, "NULL");
    else if (f->kind == FIELD_BOOL)
        strbuf_printf(b, "json(iif(q.%s IS NULL, NULL, iif(q.%s, 'true', 'false')))", column, column);
    else if (f->kind == FIELD_REAL) /* 1, not 1.0 */
        strbuf_printf(b, "iif(q.%s = round(q.%s), CAST(q.%s AS INTEGER), q.%s)", column, column, column,
                      column);
    else
        strbuf_printf(b, "q.%s", column);
}

/* "'SR', q.sr, 'lr', q.lr": the keys of a block's axes, and what a row that does not name one has there from
 * the block's `set` or the base, or NULL where it always is named, or does not apply. To be freed. */
static enum status settings_of_axes(struct store *s, int64_t block, char **out, struct err *e)
{
    struct strbuf b = STRBUF_INIT;
    struct store_query *q = NULL;
    char *sql =
        mem_printf("SELECT a.key, count(*) < (SELECT count(*) FROM block_trial WHERE block_id = %" PRId64
                   " AND in_spec) FROM block_trial m, json_each(m.axes) a WHERE m.block_id = %" PRId64
                   " AND m.in_spec GROUP BY a.key ORDER BY min(m.position), min(a.id)",
                   block, block);
    enum status st = sql ? store_query_open(s, sql, &q, e) : no_memory(e);
    for (bool row = true; st == ST_OK;) {
        st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            break;
        if (store_query_cell(q, 0).type == CELL_TEXT)
            add_setting(store_query_cell(q, 0).text, store_query_cell(q, 1).i == 1, &b);
    }
    store_query_close(q);
    mem_free(sql);
    *out = st == ST_OK && !b.failed ? mem_printf("%s", b.len > 0 ? b.text + 2 : "") : NULL;
    if (st == ST_OK && !*out)
        st = no_memory(e);
    strbuf_release(&b);
    return st;
}

/* What a row's optimizer does not read is not set, also where the row names it. */
#define UNREAD                                                                               \
    "'{' || substr(" UNREAD_KEY("momentum") " || " UNREAD_KEY("nesterov") " || " UNREAD_KEY( \
        "beta1") " || " UNREAD_KEY("beta2") " || " UNREAD_KEY("epsilon") ", 2) || '}'"
#define UNREAD_KEY(key) "iif(q." key " IS NULL, ',\"" key "\":null', '')"

static char *results_sql(const struct metric *metric, const char *settings, int64_t block)
{
    /* clang-format off */
    return mem_printf(
        "SELECT json_patch(json_patch(json_object(%s), q.axes), " UNREAD "), q.state, q.y, q.seed FROM (SELECT m.axes, m.position,"
        " t.state, %s AS y, t.seed, " SETTINGS_OF_POINT("p") ", " SETTINGS_OF_VARIANT_BUT_POINT("v", "p") ", "
        SETTINGS_OF_RECIPE("r")
        " FROM block_trial m LEFT" JOIN_POINT("m", "p") " JOIN trial t ON t.id = m.trial_id"
        " JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id"
        " WHERE m.block_id = %" PRId64 " AND m.in_spec AND NOT EXISTS (SELECT 1 FROM block_trial o"
        "  JOIN trial ot ON ot.id = o.trial_id WHERE o.block_id = m.block_id AND %s AND o.in_spec"
        "  AND o.position < m.position)) q ORDER BY q.position",
        settings, metric->sql, block,
        metric->of_variant ? "ot.variant_id = t.variant_id AND ot.state = 'done' AND t.state = 'done'"
                           : "ot.id = t.id");
    /* clang-format on */
}

enum status block_results_load(struct store *s, int64_t block, const char *y, struct block_results *out,
                               struct err *e)
{
    out->metric = metric_find(METRIC_TRIAL, y);
    if (!out->metric)
        return metric_unknown(METRIC_TRIAL, "y", y, NULL, e);
    char *settings = NULL;
    enum status st = settings_of_axes(s, block, &settings, e);
    char *sql = st == ST_OK ? results_sql(out->metric, settings, block) : NULL;
    struct store_query *q = NULL;
    struct axes lost;
    axes_init(&lost);
    if (st == ST_OK)
        st = sql ? store_query_open(s, sql, &q, e) : no_memory(e);
    mem_free(settings);
    mem_free(sql);
    if (st == ST_OK)
        st = read_rows(q, out, &lost, e);
    store_query_close(q);
    if (st == ST_OK)
        st = describe_left_out(out, e);
    if (st == ST_OK && out->count > 0) {
        struct spec spec;
        const struct block *b = read_spec(s, block, &spec);
        st = find_levels(out, b, e);
        if (st == ST_OK)
            st = name_lost_axes(out, &lost, e);
        spec_release(&spec);
    }
    axes_release(&lost);
    return st;
}

bool block_is_random(struct store *s, int64_t block)
{
    struct spec spec;
    const struct block *b = read_spec(s, block, &spec);
    const bool random = b && b->random.n > 0;
    spec_release(&spec);
    return random;
}

enum status block_results_effects(const struct block_results *r, struct effects *out, struct err *e)
{
    struct effects_factor *factors = mem_alloc(r->axis_count + 1, sizeof *factors);
    *out = (struct effects){0};
    if (!factors)
        return no_memory(e);
    for (size_t k = 0; k < r->axis_count; k++)
        factors[k] = (struct effects_factor){r->axis[k].levels, r->axis[k].absent};
    const enum status st = effects_estimate(r->y, r->level, r->count, factors, r->axis_count, out, e);
    mem_free(factors);
    return st;
}
