/* Text <-> value for every kind of field. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "sweep/spec_error.h"
#include "sweep/spec_fields.h"

_Static_assert(offsetof(struct data_source, resize_w) == offsetof(struct data_source, resize_h) + sizeof(int),
               "FIELD_SIZE writes two neighbouring ints");
_Static_assert(sizeof(enum bypass) == sizeof(unsigned) && sizeof(enum data_format) == sizeof(unsigned) &&
                   sizeof(enum optimizer) == sizeof(unsigned) && sizeof(enum schedule) == sizeof(unsigned) &&
                   sizeof(enum init) == sizeof(unsigned) && sizeof(enum sampler) == sizeof(unsigned),
               "FIELD_CHOICE writes an enum as unsigned");

_Static_assert(SIDE_MAX == 4096 && CHANNELS_MAX == 256, "field_allowed says so");

enum { NAME_LENGTH_MAX = 100 }; /* names become parts of file names */

static void *member(const struct field *f, void *target)
{
    return (char *)target + f->offset;
}

static const void *member_of_point(const struct field *f, const struct point *p)
{
    return (const char *)p + f->offset;
}

/* "TEXT WHAT, allowed: ..." */
static enum status value_error(const struct field *f, const char *text, const char *what, struct err *e)
{
    char quoted[QUOTED_TEXT], allowed[256];
    return err_set(e, ST_USAGE, "%s %s, allowed: %s", text_quote(text, quoted), what,
                   field_allowed(f, allowed, sizeof allowed));
}

/* YAML 1.1 reads 010 as eight; nobody who writes it means the same by it. */
static bool has_leading_zero(const char *text)
{
    text += *text == '-' || *text == '+';
    return text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

static bool in_range(const struct field *f, double v)
{
    return (f->above ? v > f->min : v >= f->min) && (f->below ? v < f->max : v <= f->max);
}

static enum status whole_read(const struct field *f, const char *text, int64_t max, int64_t *out,
                              struct err *e)
{
    int64_t value = 0;
    if (!num_parse_int(text, &value)) {
        double number;
        bool huge = num_parse_double(text, &number) && fabs(number) >= 0x1p63;
        return value_error(f, text, huge ? "is out of range" : "is not a whole number", e);
    }
    if (has_leading_zero(text))
        return value_error(f, text, "has a leading zero", e);
    if (value < (int64_t)f->min || value > max)
        return value_error(f, text, "is out of range", e);
    *out = value;
    return ST_OK;
}

static enum status int_set(const struct field *f, int *out, const char *text, struct err *e)
{
    int64_t value = 0;
    if (f->kind == FIELD_INT_OR_AUTO && strcmp(text, "auto") == 0) {
        *out = 0;
        return ST_OK;
    }
    enum status st = whole_read(f, text, (int64_t)f->max, &value, e);
    if (st == ST_OK)
        *out = (int)value;
    return st;
}

static enum status seed_set(const struct field *f, uint64_t *out, const char *text, struct err *e)
{
    int64_t value = 0;
    enum status st = whole_read(f, text, INT64_MAX, &value, e);
    if (st == ST_OK)
        *out = (uint64_t)value;
    return st;
}

static enum status real_set(const struct field *f, double *out, const char *text, struct err *e)
{
    double value;
    bool duration = f->kind == FIELD_DURATION;
    if (duration ? !num_parse_duration(text, &value) : !num_parse_double(text, &value))
        return value_error(f, text, duration ? "is not a duration" : "is not a number", e);
    if (!in_range(f, value))
        return value_error(f, text, "is out of range", e);
    *out = value == 0 ? 0 : value; /* no negative zero: it would be another text for the same value */
    return ST_OK;
}

static enum status bool_set(const struct field *f, bool *out, const char *text, struct err *e)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (int i = 0; i < 6; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return ST_OK;
        }
    }
    return value_error(f, text, "is not a truth value", e);
}

/* Index of the choice with that name, or -1. */
static int choice_find(const struct field *f, const char *text)
{
    for (int i = 0; f->choice(i); i++)
        if (strcmp(f->choice(i), text) == 0)
            return i;
    return -1;
}

static enum status choice_set(const struct field *f, void *out, const char *text, struct err *e)
{
    int i = choice_find(f, text);
    if (i < 0)
        return value_error(f, text, "is unknown", e);
    if (f->kind == FIELD_SWITCH)
        *(bool *)out = i == 1;
    else if (f->kind == FIELD_WORD)
        *(const char **)out = f->choice(i);
    else
        *(unsigned *)out = (unsigned)i;
    return ST_OK;
}

static enum status name_set(const struct field *f, const char **out, const char *text, struct err *e)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (text[0] == '\0')
        return value_error(f, text, "is empty", e);
    /* Names become names of files: none is hidden, ".." or an option. */
    const bool bad_start = text[0] == '.' || text[0] == '-';
    if (f->kind == FIELD_NAME &&
        (text[strspn(text, allowed)] != '\0' || bad_start || strlen(text) > NAME_LENGTH_MAX))
        return value_error(f, text, "is not a name", e);
    *out = text;
    return ST_OK;
}

/* Reads `count` whole numbers of the field's range, separated by `separator`; NULL or the end behind them. */
static const char *numbers_read(const struct field *f, const char *text, char separator, int count, int *out)
{
    for (int i = 0; i < count; i++) {
        int digits = 0;
        int64_t value = 0;
        for (; *text >= '0' && *text <= '9' && digits < 9; text++, digits++)
            value = value * 10 + (*text - '0');
        if (digits == 0 || value < (int64_t)f->min || value > (int64_t)f->max)
            return NULL;
        out[i] = (int)value;
        if (i + 1 < count && *text++ != separator)
            return NULL;
    }
    return text;
}

static enum status size_set(const struct field *f, int *out, const char *text, struct err *e)
{
    int hw[2];
    const char *end = numbers_read(f, text, 'x', 2, hw);
    if (!end || *end != '\0')
        return value_error(f, text, "is not a size", e);
    memcpy(out, hw, sizeof hw);
    return ST_OK;
}

static enum status shape_set(const struct field *f, struct shape *out, const char *text, struct err *e)
{
    int chw[3];
    const char *end = numbers_read(f, text, 'x', 3, chw);
    if (!end || *end != '\0')
        return value_error(f, text, "is not a shape", e);
    *out = (struct shape){chw[0], chw[1], chw[2]};
    return ST_OK;
}

static enum status pools_set(const struct field *f, unsigned *out, const char *text, struct err *e)
{
    return pools_parse(text, out) ? ST_OK : value_error(f, text, "is no list of pool places", e);
}

static enum status fires_set(const struct field *f, struct point *out, const char *text, struct err *e)
{
    struct fire fires[FIRE_COUNT];
    if (strcmp(text, "derived") == 0) {
        out->design.explicit_fires = false;
        memset(out->design.fires, 0, sizeof out->design.fires);
        return ST_OK;
    }
    const char *p = text;
    for (int i = 0; i < FIRE_COUNT; i++) {
        int widths[3];
        p = numbers_read(f, p, '/', 3, widths);
        if (!p || *p++ != (i + 1 < FIRE_COUNT ? ',' : '\0'))
            return value_error(f, text, "is no list of Fires", e);
        if (widths[0] < 1 || widths[1] + widths[2] < 1)
            return value_error(f, text, "has a Fire without filters", e);
        fires[i] = (struct fire){widths[0], widths[1], widths[2]};
    }
    out->design.explicit_fires = true;
    memcpy(out->design.fires, fires, sizeof fires);
    return ST_OK;
}

static enum status preset_set(const struct field *f, struct point *out, const char *text, struct err *e)
{
    int i = choice_find(f, text);
    if (i < 0)
        return value_error(f, text, "is unknown", e);
    out->preset = f->choice(i);
    return design_preset(text, &out->design, e);
}

enum status field_set(const struct field *f, void *target, const char *text, struct err *e)
{
    void *out = member(f, target);
    switch (f->kind) {
    case FIELD_INT:
    case FIELD_INT_OR_AUTO:
        return int_set(f, out, text, e);
    case FIELD_SEED:
        return seed_set(f, out, text, e);
    case FIELD_REAL:
    case FIELD_DURATION:
        return real_set(f, out, text, e);
    case FIELD_BOOL:
        return bool_set(f, out, text, e);
    case FIELD_CHOICE:
    case FIELD_SWITCH:
    case FIELD_WORD:
        return choice_set(f, out, text, e);
    case FIELD_NAME:
    case FIELD_TEXT:
        return name_set(f, out, text, e);
    case FIELD_SIZE:
        return size_set(f, out, text, e);
    case FIELD_PRESET:
        return preset_set(f, out, text, e);
    case FIELD_SHAPE:
        return shape_set(f, out, text, e);
    case FIELD_POOLS:
        return pools_set(f, out, text, e);
    case FIELD_FIRES:
        return fires_set(f, out, text, e);
    case FIELD_SECTION:
    case FIELD_LIST:
        break;
    }
    return value_error(f, text, "is a single value", e);
}

static void text_put(const char *text, char out[POINT_TEXT])
{
    snprintf(out, POINT_TEXT, "%s", text);
}

static void fires_get(const struct design *d, char out[POINT_TEXT])
{
    size_t n = 0;
    if (!d->explicit_fires)
        text_put("derived", out);
    for (int i = 0; d->explicit_fires && i < FIRE_COUNT && n < POINT_TEXT; i++)
        n += (size_t)snprintf(out + n, POINT_TEXT - n, "%s%d/%d/%d", i ? "," : "", d->fires[i].s1x1,
                              d->fires[i].e1x1, d->fires[i].e3x3);
}

void field_get(const struct field *f, const struct point *p, char out[POINT_TEXT])
{
    const void *value = member_of_point(f, p);
    const struct shape *shape = value;
    out[0] = '\0';
    switch (f->kind) {
    case FIELD_INT:
        snprintf(out, POINT_TEXT, "%d", *(const int *)value);
        break;
    case FIELD_REAL:
        num_format_double(*(const double *)value, out);
        break;
    case FIELD_BOOL:
        text_put(*(const bool *)value ? "true" : "false", out);
        break;
    case FIELD_CHOICE:
        text_put(f->choice((int)*(const unsigned *)value), out);
        break;
    case FIELD_SWITCH:
        text_put(f->choice(*(const bool *)value), out);
        break;
    case FIELD_PRESET:
        text_put(p->preset ? p->preset : "none", out);
        break;
    case FIELD_SHAPE:
        snprintf(out, POINT_TEXT, "%dx%dx%d", shape->c, shape->h, shape->w);
        break;
    case FIELD_POOLS:
        pools_format(*(const unsigned *)value, out);
        break;
    case FIELD_FIRES:
        fires_get(&p->design, out);
        break;
    default: /* of no base or train field */
        break;
    }
}

/* "A, B or C" */
static void choices_join(const struct field *f, char *out, size_t n)
{
    size_t used = 0;
    for (int i = 0; f->choice(i) && used < n; i++) {
        const char *separator = i == 0 ? "" : f->choice(i + 1) ? ", " : " or ";
        used += (size_t)snprintf(out + used, n - used, "%s%s", separator, f->choice(i));
    }
}

static void range_describe(const struct field *f, char *out, size_t n)
{
    char min[32], max[32];
    const char *what = f->kind == FIELD_REAL       ? f->key
                       : f->kind == FIELD_DURATION ? "a duration"
                                                   : "a whole number";
    bool least = f->min > -DBL_MAX, most = f->max < DBL_MAX && !(f->kind == FIELD_INT && f->max >= INT_MAX);
    num_format_double(f->min, min);
    num_format_double(f->max, max);
    if (f->min == f->max)
        snprintf(out, n, "%s", min);
    else if (f->kind == FIELD_REAL && least && most)
        snprintf(out, n, "%s %s %s %s %s", min, f->above ? "<" : "<=", what, f->below ? "<" : "<=", max);
    else if (f->kind != FIELD_REAL && f->kind != FIELD_DURATION && most)
        snprintf(out, n, "%s from %s to %s%s", what, min, max,
                 f->kind == FIELD_INT_OR_AUTO ? ", or auto" : "");
    else if (f->kind == FIELD_DURATION)
        snprintf(out, n, "a duration %s %s such as 90, 45s, 30m or 1h30m", f->above ? ">" : ">=", min);
    else if (least)
        snprintf(out, n, "%s %s %s", what, f->above ? ">" : ">=", min);
    else
        snprintf(out, n, "any number");
}

const char *field_allowed(const struct field *f, char *out, size_t n)
{
    static const char *const texts[] = {
        [FIELD_SEED] = "a whole number from 0 to 9223372036854775807",
        [FIELD_BOOL] = "true or false (also yes, no, on, off)",
        [FIELD_NAME] = "1 to 100 letters, digits, '.', '_' and '-', the first no '.' or '-'",
        [FIELD_TEXT] = "a text that is not empty",
        [FIELD_SIZE] = "rows x columns such as 32x32, at most 4096 each",
        [FIELD_SHAPE] = "channels x rows x columns such as 3x32x32, at most 256x4096x4096",
        [FIELD_POOLS] = "conv1 and fire2 to fire9, each once, such as [conv1, fire4, fire8], or none",
        [FIELD_FIRES] = "eight [s1x1, e1x1, e3x3] with s1x1 >= 1 and e1x1 + e3x3 >= 1, or derived",
        [FIELD_SECTION] = "a mapping",
        [FIELD_LIST] = "a list",
    };
    bool number = f->kind == FIELD_INT || f->kind == FIELD_INT_OR_AUTO || f->kind == FIELD_REAL ||
                  f->kind == FIELD_DURATION;
    if (number)
        range_describe(f, out, n);
    else if (f->choice)
        choices_join(f, out, n);
    else
        snprintf(out, n, "%s", texts[f->kind]);
    return out;
}

const char *field_type(const struct field *f)
{
    static const char *const names[] = {
        [FIELD_INT] = "integer",       [FIELD_INT_OR_AUTO] = "integer or auto",
        [FIELD_SEED] = "integer",      [FIELD_REAL] = "number",
        [FIELD_DURATION] = "duration", [FIELD_BOOL] = "truth value",
        [FIELD_CHOICE] = "choice",     [FIELD_SWITCH] = "choice",
        [FIELD_WORD] = "choice",       [FIELD_NAME] = "name",
        [FIELD_TEXT] = "text",         [FIELD_SIZE] = "size",
        [FIELD_PRESET] = "choice",     [FIELD_SHAPE] = "shape",
        [FIELD_POOLS] = "list",        [FIELD_FIRES] = "list",
        [FIELD_SECTION] = "mapping",   [FIELD_LIST] = "list",
    };
    return names[f->kind];
}
