/* Random blocks of a spec: `random` and `params`. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "sweep/conditions.h"
#include "sweep/sampler.h"
#include "sweep/spec_error.h"
#include "sweep/spec_read.h"

static const char *const distribution_keys[] = {[DRAW_CHOICE] = "choice",
                                                [DRAW_INT] = "int",
                                                [DRAW_UNIFORM] = "uniform",
                                                [DRAW_LOGUNIFORM] = "loguniform"};
enum { DISTRIBUTIONS = sizeof distribution_keys / sizeof *distribution_keys };

static enum status choice_read(struct reader *r, const struct field *f, const struct node *node,
                               const char *section, struct axis *axis)
{
    enum status st = reader_expect(r, node, NODE_SEQUENCE, section, f->key, "a list of values");
    if (st != ST_OK)
        return st;
    axis->values = arena_alloc(&r->spec->arena, (size_t)node->count, sizeof *axis->values);
    if (!axis->values)
        return reader_no_memory(r);
    for (const struct node_item *value = node->items; st == ST_OK && value; value = value->next)
        st = axis_value_read(r, f, value->value, section, &axis->values[axis->count++]);
    return st;
}

/* One end of an interval: a value of the key. */
static enum status bound_read(struct reader *r, const struct field *f, const struct node *node,
                              const char *section, struct parameter *p, double *out)
{
    struct axis_value value;
    const char *text = NULL;
    enum status st = axis_value_read(r, f, node, section, &value);
    if (st == ST_OK)
        st = node_text(r, f, node, section, &text);
    if (st != ST_OK)
        return st;
    if (!num_parse_double(value.text, out))
        return reader_fail(r, node->mark, section, f->key, "is not a number");
    const int decimals = decimals_of(text);
    p->decimals = decimals < 0 || p->decimals < 0 ? -1 : decimals > p->decimals ? decimals : p->decimals;
    return ST_OK;
}

static enum status interval_read(struct reader *r, const struct field *f, const struct node *node,
                                 const char *section, const char *prefix, struct parameter *p)
{
    const char *kind = distribution_keys[p->distribution];
    p->whole = f->kind == FIELD_INT;
    p->range = node->mark;
    if (f->kind != FIELD_INT && f->kind != FIELD_REAL)
        return reader_fail(r, node->mark, prefix, kind, "needs a key that takes numbers, allowed: choice");
    if (p->whole ? p->distribution == DRAW_UNIFORM : p->distribution == DRAW_INT)
        return reader_fail(r, node->mark, prefix, kind, "%s, allowed: %s, loguniform or choice",
                           p->whole ? "draws fractions but the key takes whole numbers"
                                    : "draws whole numbers but the key takes fractions",
                           p->whole ? "int" : "uniform");
    if (node->kind != NODE_SEQUENCE || node->count != 2)
        return reader_fail(r, node->mark, prefix, kind, "takes two numbers, such as [%s]",
                           p->whole ? "16, 128" : "0.1, 0.9");
    enum status st = bound_read(r, f, node->items->value, section, p, &p->low);
    if (st == ST_OK)
        st = bound_read(r, f, node->last->value, section, p, &p->high);
    if (st == ST_OK && p->low > p->high)
        return reader_fail(r, node->last->value->mark, prefix, kind,
                           "ends at %g, below its beginning %g, allowed: two numbers in rising order",
                           p->high, p->low);
    if (st == ST_OK && p->distribution == DRAW_LOGUNIFORM && p->low <= 0)
        return reader_fail(r, node->items->value->mark, prefix, kind,
                           "begins at %g, allowed: more than 0, whose logarithm exists", p->low);
    return st;
}

static enum status step_read(struct reader *r, const struct node *node, const char *prefix,
                             struct parameter *p)
{
    const struct field *f = field_find(SECTION_PARAM, "step");
    const char *text;
    struct err cause = ERR_INIT;
    enum status st = node_text(r, f, node, prefix, &text);
    if (st != ST_OK)
        return st;
    if (p->distribution != DRAW_INT && p->distribution != DRAW_UNIFORM)
        return reader_fail(r, node->mark, prefix, "step", "has no effect on %s, allowed with int and uniform",
                           distribution_keys[p->distribution]);
    struct field of_step = *f;
    of_step.offset = 0;
    if (field_set(&of_step, &p->step, text, &cause) != ST_OK)
        return reader_fail(r, node->mark, prefix, "step", "%s", cause.text);
    if (p->distribution == DRAW_INT && p->step != floor(p->step))
        return reader_fail(r, node->mark, prefix, "step",
                           "%s is not a whole number, allowed with int: 1, 2, ...", text);
    if (p->low == p->high)
        return reader_fail(
            r, node->mark, prefix, "step",
            "has no effect: from %g to %g there is one value, allowed: no step, or two ends that differ",
            p->low, p->high);
    const double width = p->high - p->low;
    if (range_steps(&(struct range){.from = p->low, .to = p->high, .step = p->step}) == 0)
        return reader_fail(r, node->mark, prefix, "step",
                           "%g is wider than the interval from %g to %g, allowed: at most %g", p->step,
                           p->low, p->high, width);
    const int decimals = decimals_of(text);
    p->decimals = decimals < 0 || p->decimals < 0 ? -1 : decimals > p->decimals ? decimals : p->decimals;
    return ST_OK;
}

/* The one distribution of a parameter's mapping. */
static enum status distribution_find(struct reader *r, const struct node *node, const struct given *given,
                                     const char *prefix, struct parameter *p, const struct node **out)
{
    *out = NULL;
    for (int i = 0; i < DISTRIBUTIONS; i++) {
        const struct node *value = given_value(given, SECTION_PARAM, distribution_keys[i]);
        if (value && *out)
            return reader_fail(
                r, value->mark, prefix, distribution_keys[i],
                "is one distribution too many, allowed: one of choice, int, uniform, loguniform");
        if (value) {
            *out = value;
            p->distribution = (enum distribution)i;
        }
    }
    return *out ? ST_OK
                : reader_fail(r, node->mark, prefix, NULL,
                              "has no distribution, allowed: choice, int, uniform or loguniform");
}

static enum status parameter_read(struct reader *r, const struct field *f, const struct node_item *item,
                                  const char *section, struct parameter *p)
{
    char prefix[256];
    struct given given;
    const struct node *draw;
    const struct node *node = item->value;
    snprintf(prefix, sizeof prefix, "%s.%s", section, f->key);
    p->axis = (struct axis){.key = f->key, .mark = item->key->mark};
    if (node->kind == NODE_SEQUENCE) /* a list alone is a choice */
        return choice_read(r, f, node, section, &p->axis);
    enum status st = reader_expect(r, node, NODE_MAPPING, prefix, NULL,
                                   "a list of values or a distribution such as {uniform: [0.1, 0.9]}");
    if (st == ST_OK)
        st = section_scan(r, node, SECTION_PARAM, prefix, &given);
    if (st == ST_OK)
        st = distribution_find(r, node, &given, prefix, p, &draw);
    if (st == ST_OK)
        st = p->distribution == DRAW_CHOICE ? choice_read(r, f, draw, section, &p->axis)
                                            : interval_read(r, f, draw, section, prefix, p);
    const struct node *step = given_value(&given, SECTION_PARAM, "step");
    const struct node *when = given_value(&given, SECTION_PARAM, "when");
    if (st == ST_OK && step)
        st = step_read(r, step, prefix, p);
    if (st == ST_OK && when) {
        p->conditional = true;
        st = condition_read(r, when, prefix, "when", false, &p->when);
    }
    return st;
}

/* May the parameter be drawn before those in `rest`? */
static bool is_free(const struct parameter *p, const struct parameter *rest, int count)
{
    for (int i = 0; p->conditional && i < count; i++)
        if (expression_uses(p->when.holds, conditions_name(rest[i].axis.key)))
            return false;
    return true;
}

/* Does it use a key that the block draws? */
static bool uses_any(const struct condition *c, const struct random_block *b)
{
    for (int i = 0; i < b->count; i++)
        if (expression_uses(c->holds, conditions_name(b->params[i].axis.key)))
            return true;
    return false;
}

/* A condition on nothing that is drawn holds always or never: a mistake, of which the points say nothing. */
static enum status when_check(const struct reader *r, const char *prefix, const struct random_block *b)
{
    for (int i = 0; i < b->count; i++) {
        const struct parameter *p = &b->params[i];
        char path[256];
        snprintf(path, sizeof path, "%s.%s", prefix, p->axis.key);
        if (p->conditional && !uses_any(&p->when, b))
            return reader_fail(
                r, p->when.mark, path, "when",
                "speaks of no key that this block draws, so it always holds or never, allowed: "
                "conditions on other keys of `params`");
    }
    return ST_OK;
}

/* None of these parameters can be drawn first: each waits for another or itself. */
static enum status circle_fail(const struct reader *r, const char *prefix, const struct parameter *p,
                               int count)
{
    char path[256];
    const struct parameter *other = p;
    for (int i = count - 1; i >= 0; i--)
        if (expression_uses(p->when.holds, conditions_name(p[i].axis.key)))
            other = &p[i];
    snprintf(path, sizeof path, "%s.%s", prefix, p->axis.key);
    return reader_fail(r, p->when.mark, path, "when",
                       "waits for %s, which %s, allowed: conditions on keys that can be drawn before",
                       other->axis.key, other == p ? "is the key itself" : "waits for this one in turn");
}

/* Puts every parameter behind those that its `when` speaks of; otherwise in the order of the field table, so
 * that the order in the file does not matter. */
static enum status parameters_sort(const struct reader *r, const char *prefix, struct random_block *b)
{
    struct parameter *p = b->params;
    for (int i = 0; i < b->count; i++) {
        int best = -1;
        for (int k = i; k < b->count; k++) {
            const bool earlier =
                best < 0 || conditions_name(p[k].axis.key) < conditions_name(p[best].axis.key);
            if (earlier && is_free(&p[k], &p[i], b->count - i))
                best = k;
        }
        if (best < 0)
            return circle_fail(r, prefix, &p[i], b->count - i);
        const struct parameter first = p[best];
        p[best] = p[i];
        p[i] = first;
    }
    return ST_OK;
}

/* Explicit Fires leave nothing for a metaparameter to do: drawn beside them it must say when. Otherwise all
 * candidates with such Fires would be dropped. */
static enum status fires_check(const struct reader *r, const char *prefix, const struct random_block *b)
{
    bool explicit_fires = false;
    for (int i = 0; i < b->count; i++) {
        const struct axis *a = &b->params[i].axis;
        for (int k = 0; strcmp(a->key, "fires") == 0 && k < a->count; k++)
            explicit_fires = explicit_fires || strcmp(a->values[k].text, "derived") != 0;
    }
    for (int i = 0; explicit_fires && i < b->count; i++) {
        const struct parameter *p = &b->params[i];
        if (!p->conditional && field_is_metaparameter(field_find(SECTION_AXIS, p->axis.key)))
            return reader_fail(
                r, p->axis.mark, prefix, p->axis.key,
                "has no effect where explicit `fires` are drawn, allowed: with `when: fires == "
                "derived`");
    }
    return ST_OK;
}

static enum status parameters_read(struct reader *r, const struct node *node, const char *prefix,
                                   struct random_block *b)
{
    struct given given;
    enum status st = section_scan(r, node, SECTION_AXIS, prefix, &given);
    if (st != ST_OK)
        return st;
    b->params = arena_alloc(&r->spec->arena, (size_t)node->count, sizeof *b->params);
    if (!b->params)
        return reader_no_memory(r);
    for (const struct node_item *item = node->items; st == ST_OK && item; item = item->next)
        st = parameter_read(r, field_find(SECTION_AXIS, item->key->text), item, prefix,
                            &b->params[b->count++]);
    if (st == ST_OK && b->sampler == SAMPLER_SOBOL && b->count > SOBOL_DIMENSIONS)
        st = reader_fail(r, node->mark, prefix, NULL, "has %d keys, at most %d are allowed with sobol",
                         b->count, SOBOL_DIMENSIONS);
    if (st == ST_OK)
        st = when_check(r, prefix, b);
    if (st == ST_OK)
        st = fires_check(r, prefix, b);
    return st == ST_OK ? parameters_sort(r, prefix, b) : st;
}

enum status random_read(struct reader *r, const struct node *random, const struct node *params,
                        const char *prefix, struct block *block)
{
    char path[192];
    struct given given;
    struct random_block *b = &block->random;
    if (!random && !params)
        return ST_OK;
    enum status st = ST_OK;
    if (random) {
        b->mark = random->mark;
        b->seed = 1;
        snprintf(path, sizeof path, "%s.random", prefix);
        st = section_scan(r, random, SECTION_RANDOM, path, &given);
        if (st == ST_OK)
            st = section_assign(r, random, SECTION_RANDOM, path, b);
    }
    if (st == ST_OK && (!random || !params))
        return reader_fail(r, block->mark, prefix, random ? "params" : "random",
                           "is missing, allowed: random: {n: 64, seed: 1} with params: {KEY: DISTRIBUTION}");
    snprintf(path, sizeof path, "%s.params", prefix);
    return st == ST_OK ? parameters_read(r, params, path, b) : st;
}
