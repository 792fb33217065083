#include "report/axes.h"

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/num.h"
#include "base/strbuf.h"

void axes_init(struct axes *a)
{
    memset(a, 0, sizeof *a);
    arena_init(&a->arena);
    a->primary = -1;
}

void axes_release(struct axes *a)
{
    arena_release(&a->arena);
    axes_init(a);
}

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot group the points of a block: out of memory");
}

/* A copy with room for `capacity` elements. Arenas do not resize; doubling bounds what stays behind. */
static void *grown(struct arena *arena, const void *old, size_t count, size_t capacity, size_t size)
{
    void *larger = arena_alloc(arena, capacity, size);
    if (larger && count > 0)
        memcpy(larger, old, count * size);
    return larger;
}

static bool reserve_point(struct axes *a)
{
    if (a->point_count < a->point_capacity)
        return true;
    size_t capacity = a->point_capacity ? 2 * a->point_capacity : 16;
    for (size_t k = 0; k < a->key_count; k++) {
        struct axis_column *c = &a->columns[k];
        const char **values = grown(&a->arena, c->values, a->point_count, capacity, sizeof *values);
        size_t *ids = grown(&a->arena, c->ids, a->point_count, capacity, sizeof *ids);
        if (!values || !ids)
            return false;
        c->values = values;
        c->ids = ids;
    }
    a->marks = arena_alloc(&a->arena, capacity + 1, sizeof *a->marks);
    a->point_capacity = capacity;
    return a->marks != NULL;
}

/* The column of a key, added with all values unset if it is new; NULL: no memory. */
static struct axis_column *column_of(struct axes *a, const char *key)
{
    for (size_t k = 0; k < a->key_count; k++)
        if (strcmp(a->columns[k].key, key) == 0)
            return &a->columns[k];
    if (a->key_count == a->key_capacity) {
        size_t capacity = a->key_capacity ? 2 * a->key_capacity : 8;
        struct axis_column *columns = grown(&a->arena, a->columns, a->key_count, capacity, sizeof *columns);
        if (!columns)
            return NULL;
        a->columns = columns;
        a->key_capacity = capacity;
    }
    struct axis_column *column = &a->columns[a->key_count];
    *column =
        (struct axis_column){.key = arena_strdup(&a->arena, key),
                             .values = arena_alloc(&a->arena, a->point_capacity, sizeof *column->values),
                             .ids = arena_alloc(&a->arena, a->point_capacity, sizeof *column->ids)};
    if (!column->key || !column->values || !column->ids)
        return NULL;
    a->key_count++;
    return column;
}

static bool same_point(const struct axes *a, size_t i, size_t j)
{
    for (size_t k = 0; k < a->key_count; k++)
        if (a->columns[k].ids[i] != a->columns[k].ids[j])
            return false;
    return true;
}

/* Of all values that are set: a key that comes later does not change the hashes of the points before. */
static uint64_t point_hash(const struct axes *a, size_t point)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < a->key_count; k++) {
        const uint64_t value[2] = {k, a->columns[k].ids[point]};
        if (value[1] != 0)
            sum += hash_bytes(value, sizeof value);
    }
    return sum;
}

/* Gives a point its value; equal texts share one copy. False: no memory. */
static bool set_value(struct axes *a, struct axis_column *c, size_t point, const char *text)
{
    const uint64_t hash = hash_bytes(text, strlen(text));
    struct lookup_walk walk = {0};
    for (size_t i; (i = lookup_next(&c->by_text, hash, &walk)) != LOOKUP_NONE;) {
        if (strcmp(c->values[i], text) != 0)
            continue;
        c->values[point] = c->values[i];
        c->ids[point] = c->ids[i];
        return true;
    }
    c->values[point] = arena_strdup(&a->arena, text);
    c->ids[point] = ++c->id_count;
    return c->values[point] && lookup_put(&c->by_text, &a->arena, hash, point);
}

static enum status check_values(struct json_object *object, const char *json, struct err *e)
{
    json_object_object_foreach(object, key, value)
    {
        if (json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array))
            return err_set(e, ST_CORRUPT, "axes of a trial: %s: \"%s\" is no single value", json, key);
    }
    return ST_OK;
}

/* Writes the values into the place after the last point. */
static enum status set_candidate(struct axes *a, struct json_object *object, struct err *e)
{
    for (size_t k = 0; k < a->key_count; k++) {
        a->columns[k].values[a->point_count] = NULL;
        a->columns[k].ids[a->point_count] = 0;
    }
    json_object_object_foreach(object, key, value)
    {
        struct axis_column *column = column_of(a, key);
        /* Numbers as they were written: json-c keeps their text. */
        const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value)
                                                                        : json_object_to_json_string(value);
        if (!column || !text || (value && !set_value(a, column, a->point_count, text)))
            return no_memory(e);
    }
    return ST_OK;
}

static enum status find_point(struct axes *a, const char *json, size_t *point, struct err *e)
{
    if (!reserve_point(a))
        return no_memory(e);
    struct json_object *object = json_tokener_parse(json);
    if (!json_object_is_type(object, json_type_object)) {
        json_object_put(object);
        return err_set(e, ST_CORRUPT, "axes of a trial are no JSON object: %s", json);
    }
    enum status status = check_values(object, json, e);
    if (status == ST_OK)
        status = set_candidate(a, object, e);
    json_object_put(object);
    if (status != ST_OK)
        return status;
    const uint64_t hash = point_hash(a, a->point_count);
    struct lookup_walk walk = {0};
    while ((*point = lookup_next(&a->by_values, hash, &walk)) != LOOKUP_NONE)
        if (same_point(a, *point, a->point_count))
            return ST_OK;
    if (!lookup_put(&a->by_values, &a->arena, hash, a->point_count))
        return no_memory(e);
    *point = a->point_count++;
    return ST_OK;
}

enum status axes_point(struct axes *a, const char *json, size_t *point, struct err *e)
{
    if (a->last_json && strcmp(a->last_json, json) == 0) {
        *point = a->last_point;
        return ST_OK;
    }
    enum status status = find_point(a, json, point, e);
    if (status != ST_OK)
        return status;
    a->last_json = arena_strdup(&a->arena, json);
    a->last_point = *point;
    return a->last_json ? ST_OK : no_memory(e);
}

static size_t distinct_values(const struct axes *a, const struct axis_column *c)
{
    for (size_t i = 0; i < a->point_count; i++)
        if (c->ids[i] == 0)
            return c->id_count + 1;
    return c->id_count;
}

static bool is_numeric(const struct axes *a, const struct axis_column *c)
{
    double number;
    for (size_t i = 0; i < a->point_count; i++)
        if (!c->values[i] || !num_parse_double(c->values[i], &number))
            return false;
    return a->point_count > 0;
}

/* Whether equal values of `by` always come with equal values of `c`. */
static bool follows(struct axes *a, const struct axis_column *c, const struct axis_column *by)
{
    memset(a->marks, 0, (by->id_count + 1) * sizeof *a->marks); /* 1 + the value of c; 0: not met */
    for (size_t i = 0; i < a->point_count; i++) {
        size_t *mark = &a->marks[by->ids[i]];
        if (*mark != 0 && *mark != c->ids[i] + 1)
            return false;
        *mark = c->ids[i] + 1;
    }
    return true;
}

/* Fills in what a column is by itself and returns its fitness as primary axis; 0: unfit. */
static size_t rate(struct axes *a, struct axis_column *c)
{
    size_t n = a->point_count, distinct = distinct_values(a, c);
    c->numeric = is_numeric(a, c);
    c->role = distinct > 1 ? AXIS_SERIES : AXIS_CONSTANT;
    if (distinct < 2 && n > 1)
        return 0;
    return (distinct == n ? 4 * n : 0) + (c->numeric ? 2 * n : 0) + distinct;
}

bool axes_analyse(struct axes *a, const char *wanted)
{
    size_t best = 0;
    bool found = !wanted;
    a->primary = -1;
    for (size_t k = 0; k < a->key_count; k++) {
        size_t fitness = rate(a, &a->columns[k]);
        bool is_wanted = wanted && strcmp(a->columns[k].key, wanted) == 0;
        if (is_wanted || (!wanted && fitness > best)) {
            best = fitness;
            a->primary = (int)k;
        }
        found = found || is_wanted;
    }
    if (a->primary < 0)
        return found;
    struct axis_column *primary = &a->columns[a->primary];
    for (size_t k = 0; k < a->key_count; k++)
        if ((a->columns[k].role == AXIS_SERIES || a->point_count == 1) && follows(a, &a->columns[k], primary))
            a->columns[k].role = AXIS_TIED;
    primary->role = AXIS_PRIMARY;
    return true;
}

bool axes_positions(const struct axes *a, int column, double *out)
{
    const struct axis_column *c = &a->columns[column];
    size_t before = c->id_count, met = 0; /* values before the first that is not set */
    for (size_t i = 0; i < a->point_count && before == c->id_count; i++) {
        met = c->ids[i] > met ? c->ids[i] : met;
        before = c->ids[i] == 0 ? met : before;
    }
    for (size_t i = 0; i < a->point_count; i++)
        if (c->numeric)
            num_parse_double(c->values[i], &out[i]);
        else
            out[i] = (double)(c->ids[i] == 0 ? before + 1 : c->ids[i] + (c->ids[i] > before));
    return c->numeric;
}

static void put_item(struct strbuf *out, const char *item)
{
    if (out->len > 0)
        strbuf_puts(out, ", ");
    strbuf_puts(out, item ? item : "-");
}

/* The text as a string of the arena; releases it. */
static const char *finished(struct axes *a, struct strbuf *text)
{
    const char *copy = text->failed ? NULL : arena_strdup(&a->arena, text->text);
    strbuf_release(text);
    return copy;
}

const char *axes_primary_values(struct axes *a)
{
    const struct axis_column *c = &a->columns[a->primary];
    struct strbuf text = STRBUF_INIT;
    bool unset = false;
    for (size_t i = 0, met = 0; i < a->point_count; i++) {
        if (c->ids[i] > met || (c->ids[i] == 0 && !unset))
            put_item(&text, c->values[i]);
        met = c->ids[i] > met ? c->ids[i] : met;
        unset = unset || c->ids[i] == 0;
    }
    return finished(a, &text);
}

static bool in_part(enum axis_role role, enum axes_part part)
{
    switch (part) {
    case AXES_ALONG:
        return role == AXIS_PRIMARY || role == AXIS_TIED;
    case AXES_SERIES:
        return role == AXIS_SERIES;
    default:
        return role != AXIS_CONSTANT;
    }
}

/* Joins keys (point NULL) or one point's values. */
static const char *join(struct axes *a, enum axes_part part, const size_t *point)
{
    struct strbuf text = STRBUF_INIT;
    for (size_t k = 0; k < a->key_count; k++)
        if (in_part(a->columns[k].role, part))
            put_item(&text, point ? a->columns[k].values[*point] : a->columns[k].key);
    return finished(a, &text);
}

const char *axes_label(struct axes *a, enum axes_part part, size_t point)
{
    return join(a, part, &point);
}

const char *axes_title(struct axes *a, enum axes_part part)
{
    return join(a, part, NULL);
}
