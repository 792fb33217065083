/* Verdicts on the claims of the SqueezeNet paper (arXiv:1602.07360v4, sections 5.2, 5.3 and 6). */
#include <math.h>
#include <stdbool.h>

#include "report/paper.h"

enum { POINTS_MAX = 64, SEEDS_MAX = 64 };

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

/* The measure at `value`, or the nearest one beyond it, away from `other`; bypasses have no order. */
static const struct paper_measure *stand_in(const struct paper_series *s, double value, double other)
{
    const struct paper_measure *best = paper_at(s, value);
    for (size_t i = 0; !best && s->axis != PAPER_AXIS_BYPASS && i < s->count; i++) {
        const struct paper_measure *m = &s->measures[value < other ? s->count - 1 - i : i];
        if (m->n > 0 && (value < other ? m->value < value : m->value > value))
            best = m;
    }
    return best;
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
    double mean[POINTS_MAX]; /* of a point over the seeds */
    double squares;          /* of what is left of results beside their point and their seed */
};

static void blocks_add_up(const struct paper_series *s, struct blocks *b)
{
    double block[SEEDS_MAX][POINTS_MAX], seed_mean[SEEDS_MAX] = {0}, all = 0;
    const struct paper_measure *point[POINTS_MAX] = {NULL};
    *b = (struct blocks){0};
    for (size_t i = 0; i < s->count && b->points < POINTS_MAX; i++)
        if (s->measures[i].n > 0)
            point[b->points++] = &s->measures[i];
    for (size_t i = 0; b->points > 0 && i < point[0]->n && b->seeds < SEEDS_MAX; i++) {
        size_t found = 0;
        while (found < b->points && has_seed(point[found], point[0]->seeds[i], &block[b->seeds][found]))
            found++;
        b->seeds += found == b->points;
    }
    for (size_t j = 0; j < b->seeds; j++)
        for (size_t i = 0; i < b->points; i++) {
            b->mean[i] += block[j][i] / (double)b->seeds;
            seed_mean[j] += block[j][i] / (double)b->points;
            all += block[j][i] / (double)(b->seeds * b->points);
        }
    for (size_t j = 0; j < b->seeds; j++)
        for (size_t i = 0; i < b->points; i++) {
            const double rest = block[j][i] - b->mean[i] - seed_mean[j] + all;
            b->squares += rest * rest;
        }
}

/* The place of a measure among the points with results. */
static size_t point_of(const struct paper_series *s, const struct paper_measure *m)
{
    size_t n = 0;
    for (const struct paper_measure *at = s->measures; at < m; at++)
        n += at->n > 0;
    return n;
}

struct summary paper_difference(const struct paper_series *s, const struct paper_measure *from,
                                const struct paper_measure *to)
{
    const size_t a = point_of(s, from), b = point_of(s, to);
    struct summary d = {0, NAN, NAN, NAN, NAN, NAN};
    struct blocks all;
    blocks_add_up(s, &all);
    if (a >= all.points || b >= all.points || all.seeds == 0)
        return d;
    d.n = all.seeds;
    d.mean = all.mean[b] - all.mean[a];
    if (all.seeds >= 2) {
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
    const struct paper_measure *from = stand_in(s, c->from, c->to), *to = stand_in(s, c->to, c->from);
    if (!from || !to || !paper_is_enough(s))
        return (struct paper_finding){VERDICT_NOT_SHOWN, NAN, NAN, summarise(NULL, 0)};
    const struct summary d = paper_difference(s, from, to);
    return (struct paper_finding){judge(c->expected, &d), from->value, to->value, d};
}
