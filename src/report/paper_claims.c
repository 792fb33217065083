/* Verdicts on the claims of the SqueezeNet paper (arXiv:1602.07360v4, sections 5.2, 5.3 and 6). */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "report/paper.h"

enum { SEEDS_MAX = 64 };

const struct paper_claim *paper_claims(void)
{
    static const struct paper_claim claims[] = {
        {PAPER_AXIS_SR, PAPER_RISES_WELL, "SR below 0.25 costs accuracy markedly", 0.125, 0.25},
        {PAPER_AXIS_SR, PAPER_GAINS_NOTHING, "beyond SR 0.75 size grows and accuracy does not", 0.75, 1.0},
        {PAPER_AXIS_PCT3X3, PAPER_RISES_WELL, "pct3x3 below 25 % costs accuracy markedly", 0.125, 0.25},
        {PAPER_AXIS_PCT3X3, PAPER_GAINS_NOTHING, "beyond pct3x3 50 % size grows and accuracy does not", 0.5,
         0.99},
        {PAPER_AXIS_BYPASS, PAPER_RISES, "simple bypass gains accuracy", BYPASS_NONE, BYPASS_SIMPLE},
        {PAPER_AXIS_BYPASS, PAPER_RISES, "complex bypass gains accuracy", BYPASS_NONE, BYPASS_COMPLEX},
        {PAPER_AXIS_BYPASS, PAPER_RISES, "simple bypass gains more than complex", BYPASS_COMPLEX,
         BYPASS_SIMPLE},
        {PAPER_AXIS_SR, PAPER_RISES, NULL, 0, 0},
    };
    return claims;
}

/* How far from a bound of the claim a point may lie that stands in for it, exclusive. The outer end of a
 * range may be anywhere beyond. The other bound is where the claim says the curve bends: what lies outside
 * the range there says nothing on it, so only points of the range stand in. Bypasses have no order. */
static double stand_in_limit(const struct paper_claim *c, double bound)
{
    if (c->expected == PAPER_RISES)
        return bound;
    const bool bend = bound == (c->expected == PAPER_RISES_WELL ? c->to : c->from);
    const double other = bound == c->from ? c->to : c->from;
    return bend ? other : copysign(INFINITY, bound - other);
}

/* The point at a bound of the claim, or the nearest one that stands in for it. */
static const struct paper_measure *point_for(const struct paper_claim *c, const struct paper_series *s,
                                             double bound)
{
    const double limit = stand_in_limit(c, bound);
    const struct paper_measure *best = paper_at(s, bound);
    double distance = best ? 0 : INFINITY;
    for (size_t i = 0; i < s->count; i++) {
        const struct paper_measure *m = &s->measures[i];
        const bool within =
            limit < bound ? limit < m->value && m->value < bound : bound < m->value && m->value < limit;
        if (m->n > 0 && within && fabs(m->value - bound) < distance) {
            best = m;
            distance = fabs(m->value - bound);
        }
    }
    return best;
}

static void say_missing(const struct paper_claim *c, double bound, struct paper_finding *f)
{
    const double limit = stand_in_limit(c, bound);
    if (c->axis == PAPER_AXIS_BYPASS)
        snprintf(f->why, sizeof f->why, "no results of bypass %s", bypass_name((enum bypass)bound));
    else if (isinf(limit))
        snprintf(f->why, sizeof f->why, "no point at %g or %s", bound, limit < 0 ? "below" : "above");
    else if (limit < bound)
        snprintf(f->why, sizeof f->why, "no point above %g, up to %g", limit, bound);
    else
        snprintf(f->why, sizeof f->why, "no point from %g to below %g", bound, limit);
}

static bool has_seed(const struct paper_measure *m, int64_t seed, double *top1)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->seeds[i] == seed) {
            *top1 = m->top1[i];
            return true;
        }
    return false;
}

/* Results of the points by seed, for the seeds that every point with results has. */
struct blocks {
    size_t points, seeds;
    int64_t seed[SEEDS_MAX];
    double squares; /* of what is left of results beside their point and their seed */
};

static bool all_have_seed(const struct paper_series *s, int64_t seed)
{
    double ignored;
    for (size_t i = 0; i < s->count; i++)
        if (s->measures[i].n > 0 && !has_seed(&s->measures[i], seed, &ignored))
            return false;
    return true;
}

static void find_seeds(const struct paper_series *s, const struct paper_measure *first, struct blocks *b)
{
    for (size_t i = 0; i < first->n && b->seeds < SEEDS_MAX; i++)
        if (all_have_seed(s, first->seeds[i]))
            b->seed[b->seeds++] = first->seeds[i];
}

/* Two-way analysis of variance without interaction: of all squares those of points and of seeds are taken.
 * Results are counted from the first one, so that little is lost between large sums. */
static void blocks_add_up(const struct paper_series *s, struct blocks *b)
{
    double of_seed[SEEDS_MAX] = {0}, of_points = 0, of_seeds = 0, squares = 0, all = 0, origin = 0;
    *b = (struct blocks){0};
    for (size_t i = 0; i < s->count; i++) {
        const struct paper_measure *m = &s->measures[i];
        if (m->n == 0 || m->again)
            continue;
        if (b->points++ == 0) {
            find_seeds(s, m, b);
            origin = m->top1[0];
        }
        double of_point = 0;
        for (size_t j = 0; j < b->seeds; j++) {
            double x = origin;
            has_seed(m, b->seed[j], &x);
            x -= origin;
            of_point += x;
            of_seed[j] += x;
            squares += x * x;
        }
        of_points += of_point * of_point;
        all += of_point;
    }
    for (size_t j = 0; j < b->seeds; j++)
        of_seeds += of_seed[j] * of_seed[j];
    const double points = (double)b->points, seeds = (double)b->seeds;
    if (b->points > 0 && b->seeds > 0)
        b->squares = fmax(0, squares - of_points / seeds - of_seeds / points + all * all / (points * seeds));
}

/* Over the seeds of all. */
static double mean_of(const struct paper_measure *m, const struct blocks *b)
{
    double sum = 0;
    for (size_t j = 0; j < b->seeds; j++) {
        double x = NAN;
        has_seed(m, b->seed[j], &x);
        sum += x;
    }
    return sum / (double)b->seeds;
}

struct summary paper_difference(const struct paper_series *s, const struct paper_measure *from,
                                const struct paper_measure *to)
{
    struct summary d = {0, NAN, NAN, NAN, NAN, NAN};
    struct blocks all;
    blocks_add_up(s, &all);
    if (from->n == 0 || to->n == 0 || all.seeds == 0)
        return d;
    d.n = all.seeds;
    d.mean = mean_of(to, &all) - mean_of(from, &all);
    if (all.seeds >= 2 && from->variant != to->variant) { /* one network's results do not differ */
        const size_t freedom = (all.points - 1) * (all.seeds - 1);
        const double variance = all.squares / (double)freedom;
        d.half_width = student_t_quantile(0.975, freedom) * sqrt(2 * variance / (double)all.seeds);
    }
    return d;
}

static enum verdict judge(enum paper_expectation expected, const struct summary *d)
{
    if (expected == PAPER_GAINS_NOTHING)
        return verdict_at_most(d, PAPER_MARGIN);
    return verdict_above(d, expected == PAPER_RISES_WELL ? PAPER_MARGIN : 0);
}

struct paper_finding paper_judge(const struct paper_claim *c, const struct paper_series *s)
{
    struct paper_finding f = {VERDICT_NOT_SHOWN, NAN, NAN, summarise(NULL, 0), ""};
    const struct paper_measure *from = point_for(c, s, c->from), *to = point_for(c, s, c->to);
    if (!paper_is_enough(s)) {
        snprintf(f.why, sizeof f.why, "too few points");
    } else if (!from || !to) {
        say_missing(c, from ? c->to : c->from, &f);
    } else if (from->variant == to->variant) {
        snprintf(f.why, sizeof f.why, "%g and %g round to the same layers", from->value, to->value);
    } else {
        f.difference = paper_difference(s, from, to);
        f.verdict = judge(c->expected, &f.difference);
        f.from = from->value;
        f.to = to->value;
        if (f.difference.n < 2)
            snprintf(f.why, sizeof f.why, "%s",
                     f.difference.n == 1 ? "one seed has no interval" : "no seed that all points have");
    }
    return f;
}
