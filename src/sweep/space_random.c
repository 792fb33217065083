/* Random blocks: candidates are drawn in a fixed sequence, and the first n that are valid are the points. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "sweep/conditions.h"
#include "sweep/sampler.h"
#include "sweep/space_internal.h"
#include "sweep/spec_error.h"
#include "sweep/spec_read.h"

/* Most candidates while there are so many points: a block that hardly finds any more ends soon, whatever its
 * n. */
static int64_t tries_of(int points)
{
    return SPACE_TRIES_LEAST + (int64_t)SPACE_TRIES_PER_POINT * points;
}

/* A number of six digits: people read it, and machines whose libm differs in the last bit agree on it. */
static double readable(double value)
{
    char text[32];
    double rounded = value;
    snprintf(text, sizeof text, "%.6g", value);
    return num_parse_double(text, &rounded) ? rounded : value;
}

static double clamp(const struct parameter *p, double value)
{
    return fmin(fmax(value, p->low), p->high);
}

static double number_draw(const struct parameter *p, double u)
{
    const double width = p->high - p->low;
    if (p->step > 0) {
        const struct range range = {.from = p->low, .to = p->high, .step = p->step, .decimals = p->decimals};
        return clamp(p, range_value(&range, floor(u * (range_steps(&range) + 1))));
    }
    switch (p->distribution) {
    case DRAW_INT:
        return clamp(p, p->low + floor(u * (width + 1)));
    case DRAW_LOGUNIFORM:
        if (p->whole) /* every whole number has the interval that rounds to it */
            return clamp(p, round((p->low - 0.5) * pow((p->high + 0.5) / (p->low - 0.5), u)));
        return clamp(p, readable(p->low * pow(p->high / p->low, u)));
    default:
        return clamp(p, readable(p->low + u * width));
    }
}

static double coordinate(const struct builder *b, int parameter, uint32_t candidate)
{
    const struct random_block *r = &b->spec->blocks[b->block].random;
    const char *key = r->params[parameter].axis.key;
    const uint32_t hash = (uint32_t)hash_bytes(key, strlen(key)), n = (uint32_t)r->n;
    switch (r->sampler) {
    case SAMPLER_LHS:
        return sampler_lhs(r->seed, hash, candidate / n, n, b->strata + (size_t)parameter * n, candidate % n);
    case SAMPLER_SOBOL:
        return sampler_sobol(r->seed, hash, parameter, candidate);
    default:
        return sampler_random(r->seed, hash, candidate);
    }
}

/* Makes the next hypercube when a candidate begins one. */
static enum status strata_make(struct builder *b, uint32_t candidate)
{
    const struct random_block *r = &b->spec->blocks[b->block].random;
    const uint32_t n = (uint32_t)r->n;
    if (r->sampler != SAMPLER_LHS || candidate % n != 0)
        return ST_OK;
    if (!b->strata)
        b->strata = mem_alloc((size_t)r->count * n, sizeof *b->strata);
    if (!b->strata)
        return space_no_memory(b);
    for (int i = 0; i < r->count; i++) {
        const char *key = r->params[i].axis.key;
        sampler_strata(r->seed, (uint32_t)hash_bytes(key, strlen(key)), candidate / n, n,
                       b->strata + (size_t)i * n);
    }
    return ST_OK;
}

/* Does the condition of a parameter hold for what has been drawn so far? *final: it has no answer, which is
 * no matter of this candidate alone; b->e says it. */
static enum status is_wanted(struct builder *b, const struct parameter *p, bool *wanted, bool *final,
                             struct err *cause)
{
    struct point point;
    *wanted = true;
    if (!p->conditional)
        return ST_OK;
    enum status st = space_assemble(b, &point, cause);
    if (st != ST_OK)
        return st;
    const struct measures measures = {.point = &point};
    char key[256];
    snprintf(key, sizeof key, "sweep.%s.params.%s.when", b->spec->blocks[b->block].id, p->axis.key);
    st = space_holds(b, &p->when, key, &measures, wanted);
    *final = st != ST_OK;
    return st;
}

/* The choices of a candidate. */
static enum status candidate_draw(struct builder *b, uint32_t candidate, bool *final, struct err *cause)
{
    const struct random_block *r = &b->spec->blocks[b->block].random;
    space_choose_set(b);
    for (int i = 0; i < r->count; i++) {
        const struct parameter *p = &r->params[i];
        bool wanted;
        enum status st = is_wanted(b, p, &wanted, final, cause);
        if (st != ST_OK)
            return st;
        if (!wanted)
            continue;
        const double u = coordinate(b, i, candidate);
        const struct axis_value *value = &b->drawn[i];
        if (p->distribution == DRAW_CHOICE)
            value = &p->axis.values[(int)(u * p->axis.count)];
        else
            b->drawn[i] =
                (struct axis_value){num_format_double(number_draw(p, u), b->drawn_text[i]), p->range};
        space_choose(b, p->axis.key, value);
    }
    return ST_OK;
}

/* Of the first candidate that cannot be built it is kept why. */
static enum status unbuildable_count(struct builder *b, const struct err *cause, bool placed,
                                     struct sampling *s)
{
    struct err why = *cause;
    if (s->unbuildable++ > 0)
        return ST_OK;
    if (!placed && space_blame(b, cause, &why) == ST_NOMEM)
        return space_no_memory(b);
    s->unbuildable_why = arena_strdup(&b->space->arena, why.text);
    return s->unbuildable_why ? ST_OK : space_no_memory(b);
}

/* Keeps a candidate or counts why not. */
static enum status candidate_take(struct builder *b, uint32_t candidate, struct sampling *s)
{
    struct trial trial = {.seed = b->spec->seeds[0]};
    struct err cause = ERR_INIT;
    bool placed = false, final = false;
    enum status st = candidate_draw(b, candidate, &final, &cause);
    if (final)
        return st;
    if (st == ST_OK)
        st = space_realise(b, &trial, &placed, &cause);
    if (st == ST_NOMEM)
        return space_no_memory(b);
    s->tried++;
    if (st != ST_OK)
        return unbuildable_count(b, &cause, placed, s);
    int violated;
    st = space_violated(b, &trial, &violated);
    if (st != ST_OK)
        return st;
    const int known = space_find(b, &trial);
    if (violated >= 0)
        s->removed[violated]++;
    else if (known >= 0 && b->claimed[known] == b->block + 1)
        s->repeated++;
    else {
        s->points++;
        return space_add(b, &trial);
    }
    return ST_OK;
}

enum status space_random(struct builder *b)
{
    const struct block *block = &b->spec->blocks[b->block];
    struct sampling *s = &b->space->samplings[b->block];
    const int rules = b->spec->constraints.count + b->spec->exclude.count + block->exclude.count;
    enum status st = ST_OK;
    s->wanted = block->random.n;
    s->removed = arena_alloc(&b->space->arena, (size_t)rules + 1, sizeof *s->removed);
    if (!s->removed)
        return space_no_memory(b);
    for (uint32_t i = 0; st == ST_OK && s->points < s->wanted && i < tries_of(s->points); i++) {
        st = strata_make(b, i);
        if (st == ST_OK)
            st = candidate_take(b, i, s);
    }
    mem_free(b->strata);
    b->strata = NULL;
    if (st != ST_OK || s->points > 0)
        return st;
    if (s->unbuildable == s->tried)
        return err_set(b->e, ST_USAGE, "%s; none of %lld candidates of block %s can be built",
                       s->unbuildable_why, (long long)s->tried, block->id);
    char text[SAMPLING_TEXT], key[128];
    space_sampling_text(b->spec, b->space, b->block, text, sizeof text);
    snprintf(key, sizeof key, "block %s", block->id);
    return spec_error(b->e, b->spec->path, block->random.mark, key, "%s", text);
}

const struct condition *space_rule(const struct spec *spec, int block, int rule)
{
    if (rule < spec->constraints.count)
        return &spec->constraints.items[rule];
    rule -= spec->constraints.count;
    if (rule < spec->exclude.count)
        return &spec->exclude.items[rule];
    rule -= spec->exclude.count;
    return rule < spec->blocks[block].exclude.count ? &spec->blocks[block].exclude.items[rule] : NULL;
}

void space_sampling_text(const struct spec *spec, const struct space *space, int block, char *out, size_t n)
{
    const struct sampling *s = &space->samplings[block];
    size_t used = (size_t)snprintf(out, n, "%d of %d points; of %lld candidates", s->points, s->wanted,
                                   (long long)s->tried);
    const char *separator = " ";
    const struct condition *rule;
    for (int i = 0; (rule = space_rule(spec, block, i)) != NULL && used < n; i++) {
        if (s->removed[i] == 0)
            continue;
        used += (size_t)snprintf(out + used, n - used, "%s%lld removed by %s", separator,
                                 (long long)s->removed[i], rule->reason);
        separator = ", ";
    }
    if (s->repeated && used < n) {
        used += (size_t)snprintf(out + used, n - used, "%s%lld equal to an earlier one", separator,
                                 (long long)s->repeated);
        separator = ", ";
    }
    if (s->unbuildable && used < n)
        snprintf(out + used, n - used, "%s%lld cannot be built (the first: %s)", separator,
                 (long long)s->unbuildable, s->unbuildable_why);
}
