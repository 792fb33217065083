#include "report/front.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

struct entry {
    double cost, mean, error; /* the mean's standard deviation */
    double drawn;             /* by draw_from, in the present draw */
    size_t index, wins;
};

static int by_cost(const void *a, const void *b)
{
    const struct entry *p = a, *q = b;
    if (p->cost != q->cost)
        return p->cost < q->cost ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

/* Marks the front of entries ascending in cost: on[i], by the given merits. */
static void mark(const struct entry *entries, const double *merit, size_t n, bool *on)
{
    double best = -INFINITY; /* of all that cost less */
    for (size_t first = 0, next; first < n; first = next) {
        double top = -INFINITY;
        for (next = first; next < n && entries[next].cost == entries[first].cost; next++)
            top = fmax(top, merit[next]);
        for (size_t i = first; i < next; i++)
            on[i] = merit[i] == top && merit[i] > best;
        best = fmax(best, top);
    }
}

static double pooled_sd(const struct candidate *c, size_t n, size_t *freedom)
{
    double squares = 0;
    *freedom = 0;
    for (size_t i = 0; i < n; i++)
        if (c[i].merit.n >= 2) {
            *freedom += c[i].merit.n - 1;
            squares += c[i].merit.sd * c[i].merit.sd * (double)(c[i].merit.n - 1);
        }
    return *freedom > 0 ? sqrt(squares / (double)*freedom) : NAN;
}

/* Keeps, in front, only entries that can be on a front at all: six standard deviations are out of reach. */
static size_t within_reach(struct entry *entries, size_t n)
{
    enum { REACH = 6 };
    double certain = -INFINITY;
    size_t kept = 0;
    for (size_t first = 0, next; first < n; first = next) {
        double least = certain;
        for (next = first; next < n && entries[next].cost == entries[first].cost; next++) {
            const struct entry entry = entries[next];
            least = fmax(least, entry.mean - REACH * entry.error);
            if (entry.mean + REACH * entry.error >= certain)
                entries[kept++] = entry;
        }
        certain = least;
    }
    return kept;
}

/* Chances of the standard normal distribution to lie above -REACH_TABLE, one step more, and so on. */
enum { REACH_TABLE = 8, STEPS = 16 };
struct chances {
    double above[2 * REACH_TABLE * STEPS + 1];
};

static double chance_above(double z)
{
    return 0.5 * erfc(z / sqrt(2));
}

/* The z that a standard normal number exceeds with this chance, 0 < chance < 1. */
static double exceeded_with(double chance)
{
    double low = -REACH_TABLE, high = REACH_TABLE;
    for (int i = 0; i < 50; i++) {
        const double middle = (low + high) / 2;
        *(chance_above(middle) > chance ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

/* A draw of an entry's mean if it is `bar` or above, else -infinity. Nearly all draws are below, and a look
 * at the table is enough to tell. */
static double draw_from(const struct entry *x, double bar, const struct chances *c, struct rng *r)
{
    const double u = (rng_u32(r) + 0.5) / 0x1p32, z = (bar - x->mean) / x->error;
    if (!(x->error > 0))
        return x->mean >= bar ? x->mean : -INFINITY;
    if (z >= REACH_TABLE)
        return -INFINITY;
    if (z > -REACH_TABLE && u >= c->above[(size_t)((z + REACH_TABLE) * STEPS)])
        return -INFINITY;
    const double drawn = x->mean + x->error * exceeded_with(u);
    return drawn >= bar ? drawn : -INFINITY;
}

/* One front of drawn means, as `mark` has it: in order of cost, what is above all before it; of equal cost
 * all that have the best. Without spread draws are the means, and equal ones tie. */
static void draw_front(struct entry *entries, size_t n, const struct chances *c, struct rng *r)
{
    double best = -INFINITY; /* of all that cost less */
    for (size_t first = 0, next; first < n; first = next) {
        double top = best;
        for (next = first; next < n && entries[next].cost == entries[first].cost; next++) {
            entries[next].drawn = draw_from(&entries[next], top, c, r);
            top = fmax(top, entries[next].drawn);
        }
        for (size_t i = first; i < next && top > best; i++)
            entries[i].wins += entries[i].drawn == top;
        best = top;
    }
}

static void draw_fronts(struct entry *entries, size_t n)
{
    struct chances c;
    for (int i = 0; i <= 2 * REACH_TABLE * STEPS; i++)
        c.above[i] = chance_above((double)i / STEPS - REACH_TABLE);
    for (size_t draw = 0; draw < FRONT_DRAWS; draw++) {
        struct rng r = rng_stream(1, RNG_BOOTSTRAP, draw, 0);
        draw_front(entries, n, &c, &r);
    }
}

static void estimate(struct candidate *c, size_t n, struct entry *entries, double *merit, bool *on, double sd)
{
    qsort(entries, n, sizeof *entries, by_cost);
    for (size_t i = 0; i < n; i++)
        merit[i] = entries[i].mean;
    mark(entries, merit, n, on);
    for (size_t i = 0; i < n; i++) {
        c[entries[i].index].on_front = on[i];
        c[entries[i].index].probability = isnan(sd) ? NAN : 0;
    }
    if (isnan(sd))
        return;
    const size_t kept = within_reach(entries, n);
    draw_fronts(entries, kept);
    for (size_t i = 0; i < kept; i++)
        c[entries[i].index].probability = (double)entries[i].wins / FRONT_DRAWS;
}

enum status front_estimate(struct candidate *c, size_t n, bool higher, double *sd, size_t *freedom,
                           struct err *e)
{
    struct entry *entries = mem_alloc(n + 1, sizeof *entries);
    double *merit = mem_alloc(n + 1, sizeof *merit);
    bool *on = mem_calloc(n + 1, sizeof *on);
    enum status st = ST_OK;
    *sd = pooled_sd(c, n, freedom);
    if (entries && merit && on) {
        for (size_t i = 0; i < n; i++)
            entries[i] = (struct entry){.cost = c[i].cost,
                                        .mean = higher ? c[i].merit.mean : -c[i].merit.mean,
                                        .error = isnan(*sd) ? 0 : *sd / sqrt((double)c[i].merit.n),
                                        .index = i};
        estimate(c, n, entries, merit, on, *sd);
    } else
        st = err_set(e, ST_NOMEM, "out of memory");
    mem_free(entries);
    mem_free(merit);
    mem_free(on);
    return st;
}
