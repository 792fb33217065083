#include "sweep/conditions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sweep/spec_fields.h"
#include "sweep/suggest.h"

enum cost_index {
    COST_PARAMS,
    COST_MODEL_BYTES,
    COST_MODEL_BYTES_8BIT,
    COST_MODEL_BYTES_6BIT,
    COST_MACS,
    COST_ACTIVATION_BYTES,
    COST_TRAIN_ACTIVATION_BYTES,
    COST_MIN_CHANNELS,
    COST_REALISED_SR,
    COST_REALISED_PCT3X3,
    COST_TRAIN_S
};

static const struct cost_name costs[] = {
    [COST_PARAMS] = {"params", UNIT_PLAIN, "parameters, biases included"},
    [COST_MODEL_BYTES] = {"model_bytes", UNIT_BYTES, "bytes of the parameters in float32"},
    [COST_MODEL_BYTES_8BIT] = {"model_bytes_8bit", UNIT_BYTES, "the same at 8 bits each"},
    [COST_MODEL_BYTES_6BIT] = {"model_bytes_6bit", UNIT_BYTES, "the same at 6 bits each"},
    [COST_MACS] = {"macs", UNIT_PLAIN, "multiply-accumulates per image"},
    [COST_ACTIVATION_BYTES] = {"activation_bytes", UNIT_BYTES, "peak activations of inference, per image"},
    [COST_TRAIN_ACTIVATION_BYTES] = {"train_activation_bytes", UNIT_BYTES,
                                     "activations and gradients of training, per image"},
    [COST_MIN_CHANNELS] = {"min_channels", UNIT_PLAIN, "fewest filters of a convolution other than conv10"},
    [COST_REALISED_SR] = {"realised_SR", UNIT_PLAIN, "squeeze ratio after rounding, over all Fires"},
    [COST_REALISED_PCT3X3] = {"realised_pct3x3", UNIT_PLAIN, "share of 3x3 filters after rounding"},
    [COST_TRAIN_S] =
        {"train_s", UNIT_TIME,
         "predicted time of the trial on run.threads threads (auto: 1); needs the speed of this "
         "machine (plan --calibrate) and the number of images; in queries `train_s` is the measured time"},
};
enum { COST_COUNT = sizeof costs / sizeof *costs };

const struct cost_name *conditions_costs(int *count)
{
    *count = COST_COUNT;
    return costs;
}

/* The field with an index in the scope, NULL for costs; *cost is then the cost's index. */
static const struct field *field_of(int name, int *cost)
{
    for (size_t i = 0; i < field_count(); i++)
        if (field_in(field_at(i), SECTION_AXIS) && name-- == 0)
            return field_at(i);
    *cost = name;
    return NULL;
}

static enum expression_type type_of(const struct field *f)
{
    return f->kind == FIELD_INT || f->kind == FIELD_REAL ? EXPRESSION_NUMBER
           : f->kind == FIELD_BOOL                       ? EXPRESSION_TRUTH
                                                         : EXPRESSION_WORDS;
}

/* The word that was meant, NULL if none is near. */
static const char *choice_guess(const char *text, const char *(*choice)(int i))
{
    const char *known[FIELDS_MAX];
    int count = 0;
    for (; choice && count < FIELDS_MAX && choice(count); count++)
        known[count] = choice(count);
    return suggest_word(text, known, count);
}

bool conditions_canonical(const struct field *f, const char *text, char out[EXPRESSION_TEXT])
{
    _Static_assert((int)POINT_TEXT <= (int)EXPRESSION_TEXT, "a value's text fits");
    struct point scratch = {.preset = NULL};
    struct err ignored = ERR_INIT;
    char allowed[200];
    if (field_set(f, &scratch, text, &ignored) == ST_OK) {
        field_get(f, &scratch, out);
        return true;
    }
    const char *guess = choice_guess(text, f->choice);
    snprintf(out, EXPRESSION_TEXT, "%s%.24s%sallowed: %s", guess ? "did you mean " : "", guess ? guess : "",
             guess ? "?; " : "", field_allowed(f, allowed, sizeof allowed));
    return false;
}

static bool canonical(const void *context, int name, const char *text, char out[EXPRESSION_TEXT])
{
    (void)context;
    return conditions_canonical(conditions_field(name), text, out);
}

const struct field *conditions_field(int index)
{
    int cost;
    return field_of(index, &cost);
}

struct expression_name conditions_entry(int index)
{
    int cost = 0;
    const struct field *f = field_of(index, &cost);
    return f ? (struct expression_name){.name = f->key, .type = type_of(f), .unit = UNIT_PLAIN}
             : (struct expression_name){
                   .name = costs[cost].name, .type = EXPRESSION_NUMBER, .unit = costs[cost].unit};
}

/* There are too many keys to name them all. */
static const char *allowed_names(struct arena *arena, bool with_costs)
{
    char text[400];
    snprintf(text, sizeof text, "all keys of base and train, such as SR and lr%s",
             with_costs ? "" : " (a cost is not known before all keys are drawn)");
    size_t n = strlen(text);
    for (int i = 0; with_costs && i < COST_COUNT && n < sizeof text; i++)
        n +=
            (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? ", " : "; and the costs ", costs[i].name);
    return arena_strdup(arena, text);
}

enum status conditions_scope(struct arena *arena, bool with_costs, struct expression_scope *out,
                             struct err *e)
{
    struct expression_name *names = arena_alloc(arena, FIELDS_MAX + COST_COUNT, sizeof *names);
    const int count = conditions_name(costs[0].name) + (with_costs ? COST_COUNT : 0);
    if (!names)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < count; i++)
        names[i] = conditions_entry(i);
    *out = (struct expression_scope){
        .count = count, .names = names, .allowed = allowed_names(arena, with_costs), .canonical = canonical};
    return out->allowed ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
}

static int find(const char *name, int (*compare)(const char *, const char *))
{
    int index = 0;
    for (size_t i = 0; i < field_count(); i++) {
        if (!field_in(field_at(i), SECTION_AXIS))
            continue;
        if (compare(field_at(i)->key, name) == 0)
            return index;
        index++;
    }
    for (int i = 0; i < COST_COUNT; i++, index++)
        if (compare(costs[i].name, name) == 0)
            return index;
    return -1;
}

int conditions_name(const char *name)
{
    return find(name, strcmp);
}

int conditions_column(const char *name)
{
    return find(name, strcasecmp);
}

int conditions_min_channels(const struct arch *arch)
{
    int least = WIDTH_MAX;
    for (int i = 0; i < arch->layer_count; i++) {
        const struct layer *l = &arch->layers[i];
        if (l->kind == LAYER_CONV && l->cout < least && strcmp(l->name, "conv10") != 0)
            least = l->cout;
    }
    return least;
}

static double cost_value(const struct measures *m, int cost)
{
    switch ((enum cost_index)cost) {
    case COST_PARAMS:
        return (double)m->cost->params;
    case COST_MODEL_BYTES:
        return (double)m->cost->model_bytes;
    case COST_MODEL_BYTES_8BIT:
        return (double)m->cost->model_bytes_8bit;
    case COST_MODEL_BYTES_6BIT:
        return (double)m->cost->model_bytes_6bit;
    case COST_MACS:
        return (double)m->cost->macs;
    case COST_ACTIVATION_BYTES:
        return (double)m->cost->activation_bytes;
    case COST_TRAIN_ACTIVATION_BYTES:
        return (double)m->cost->train_activation_bytes;
    case COST_MIN_CHANNELS:
        return m->min_channels;
    case COST_REALISED_SR:
        return m->derived->realised_sr;
    case COST_REALISED_PCT3X3:
        return m->derived->realised_pct3x3;
    case COST_TRAIN_S:
        return m->train_s;
    }
    return NAN;
}

void conditions_lookup(const void *context, int name, struct expression_value *out)
{
    const struct measures *m = context;
    int cost = 0;
    const struct field *f = field_of(name, &cost);
    const void *value = f ? (const char *)m->point + f->offset : NULL;
    out->number = NAN;
    out->text[0] = '\0';
    if (!f)
        out->number = cost_value(m, cost);
    else if (field_is_metaparameter(f) && m->point->design.explicit_fires)
        out->number = NAN; /* beside explicit Fires they say nothing */
    else if (f->kind == FIELD_INT)
        out->number = *(const int *)value;
    else if (f->kind == FIELD_REAL)
        out->number = *(const double *)value;
    else if (f->kind == FIELD_BOOL)
        out->number = *(const bool *)value;
    else
        field_get(f, m->point, out->text);
}

/* The byte at a mark; columns count characters. */
static const char *seek(const char *text, struct mark start)
{
    for (int line = 1; line < start.line && *text; text++)
        line += *text == '\n';
    for (int column = 1; column < start.column && *text && *text != '\n'; column++)
        do
            text++;
        while (((unsigned char)*text & 0xC0) == 0x80);
    return text;
}

/* Bytes of the spec's text that one character of the scalar takes. */
static size_t step_of(const char *p, char quote)
{
    if (quote == '\'' && p[0] == '\'' && p[1] == '\'')
        return 2;
    if (quote == '"' && p[0] == '\\' && p[1])
        return p[1] == 'x' ? 4 : p[1] == 'u' ? 6 : p[1] == 'U' ? 10 : 2;
    return *p == '\n' ? 1 + strspn(p + 1, " ") : 1; /* a line end and the next line's indent make one space */
}

struct mark conditions_mark(const char *spec_text, struct mark start, size_t offset)
{
    const char *p = seek(spec_text, start);
    struct mark at = start;
    if (*p == '|' || *p == '>' || *p == '&')
        return start;
    const char quote = *p == '\'' || *p == '"' ? *p : '\0';
    at.column += quote != '\0';
    p += quote != '\0';
    while (offset > 0 && *p) {
        size_t n = step_of(p, quote);
        if (((unsigned char)*p & 0xC0) != 0x80) {
            at.line += *p == '\n';
            at.column = *p == '\n' ? (int)n : at.column + (int)n;
        }
        for (; n > 0 && *p; n--)
            p++;
        offset--;
    }
    return at;
}
