#include "report/plateau.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

/* Index of the knee, -1 without one. */
static int find_knee(const double *x, const double *mean, size_t n)
{
    const double run = x[n - 1] - x[0], rise = mean[n - 1] - mean[0];
    double furthest = 1e-12;
    int knee = -1;
    if (!(run > 0) || !(rise > 0))
        return -1;
    for (size_t i = 1; i + 1 < n; i++) {
        const double above = (mean[i] - mean[0]) / rise - (x[i] - x[0]) / run;
        if (above > furthest) {
            furthest = above;
            knee = (int)i;
        }
    }
    return knee;
}

static int find_start(const double *mean, size_t n, double margin)
{
    double best = mean[0];
    for (size_t i = 1; i < n; i++)
        best = fmax(best, mean[i]);
    int start = 0;
    while (mean[start] < best - margin)
        start++;
    return start;
}

/* Means over seeds; `seed_of` NULL: each once. */
static void average(const double *y, size_t points, size_t seeds, const size_t *seed_of, double *mean)
{
    for (size_t p = 0; p < points; p++) {
        mean[p] = 0;
        for (size_t s = 0; s < seeds; s++)
            mean[p] += y[(seed_of ? seed_of[s] : s) * points + p] / (double)seeds;
    }
}

/* Value below which a share of the counted draws lies; counts[p] draws stand at x[p]. */
static double percentile(const double *x, const size_t *counts, size_t points, double share)
{
    size_t all = 0, below = 0;
    for (size_t p = 0; p < points; p++)
        all += counts[p];
    for (size_t p = 0; p < points; p++) {
        below += counts[p];
        if ((double)below >= share * (double)all && below > 0)
            return x[p];
    }
    return NAN;
}

static struct place place_at(const double *x, int at, const size_t *counts, size_t points, bool interval)
{
    struct place place = {at >= 0 ? x[at] : NAN, NAN, NAN, NAN};
    if (!interval || at < 0)
        return place; /* resamples that do have one tell of no place of these means */
    place.low = percentile(x, counts, points, 0.025);
    place.high = percentile(x, counts, points, 0.975);
    place.share = (double)counts[at] / PLATEAU_DRAWS;
    return place;
}

static void resample(const double *x, const double *y, const struct plateau *o, double margin, double *mean,
                     size_t *seed_of, size_t *knees, size_t *starts)
{
    for (size_t draw = 0; draw < PLATEAU_DRAWS && o->seeds >= 2; draw++) {
        struct rng r = rng_stream(1, RNG_BOOTSTRAP, draw, 1);
        for (size_t s = 0; s < o->seeds; s++)
            seed_of[s] = rng_below(&r, (uint32_t)o->seeds);
        average(y, o->points, o->seeds, seed_of, mean);
        const int knee = find_knee(x, mean, o->points);
        if (knee >= 0)
            knees[knee]++;
        starts[find_start(mean, o->points, margin)]++;
    }
}

enum status plateau_estimate(const double *x, const double *y, size_t points, size_t seeds, double margin,
                             struct plateau *out, struct err *e)
{
    *out = (struct plateau){.points = points, .seeds = seeds};
    if (points < 3 || seeds < 1)
        return err_set(e, ST_FAILED,
                       "a knee needs three points that share a seed, there are %zu points and %zu seeds",
                       points, seeds);
    double *mean = mem_alloc(points, sizeof *mean);
    size_t *seed_of = mem_alloc(seeds, sizeof *seed_of), *counts = mem_calloc(2 * points, sizeof *counts);
    enum status st = ST_OK;
    if (mean && seed_of && counts) {
        resample(x, y, out, margin, mean, seed_of, counts, counts + points);
        average(y, points, seeds, NULL, mean);
        out->knee = place_at(x, find_knee(x, mean, points), counts, points, seeds >= 2);
        out->start = place_at(x, find_start(mean, points, margin), counts + points, points, seeds >= 2);
    } else
        st = err_set(e, ST_NOMEM, "out of memory");
    mem_free(mean);
    mem_free(seed_of);
    mem_free(counts);
    return st;
}
