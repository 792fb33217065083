#include "sweep/search.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

int search_rungs(const struct search_options *o, int epochs)
{
    int rungs = 1;
    for (int64_t needed = (int64_t)o->min_epochs * o->eta; needed <= epochs; needed *= o->eta)
        rungs++;
    return rungs;
}

int search_epochs(const struct search_options *o, int epochs, int rung)
{
    int64_t divisor = 1;
    for (int i = search_rungs(o, epochs); i > rung; i--)
        divisor *= o->eta;
    return (int)((2 * (int64_t)epochs + divisor) / (2 * divisor));
}

int search_places(const struct search_options *o, int n)
{
    return n / o->eta > 1 ? n / o->eta : 1;
}

/* What the contenders are sorted by. */
struct place {
    const struct contender *c;
    double behind; /* the best score of equal or smaller cost, minus its own */
};

static int by_number(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_order(const struct contender *a, const struct contender *b)
{
    return (a > b) - (a < b);
}

/* Those without a score come last, in every order. */
static int by_scored(const struct contender *a, const struct contender *b)
{
    return (int)isnan(a->score) - (int)isnan(b->score);
}

static int by_cost(const void *a, const void *b)
{
    const struct contender *p = ((const struct place *)a)->c, *q = ((const struct place *)b)->c;
    int order = by_scored(p, q);
    order = order ? order : by_number(p->cost, q->cost);
    order = order || isnan(p->score) ? order : by_number(q->score, p->score);
    return order ? order : by_order(p, q);
}

static int by_score(const void *a, const void *b)
{
    const struct contender *p = ((const struct place *)a)->c, *q = ((const struct place *)b)->c;
    int order = by_scored(p, q);
    order = order || isnan(p->score) ? order : by_number(q->score, p->score);
    order = order ? order : by_number(p->cost, q->cost);
    return order ? order : by_order(p, q);
}

static int by_front(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    int order = by_scored(p->c, q->c);
    order = order ? order : (p->c->front > q->c->front) - (p->c->front < q->c->front);
    order = order ? order : by_number(p->behind, q->behind);
    return order ? order : by_score(a, b);
}

static bool equal(const struct contender *a, const struct contender *b)
{
    return a->score == b->score && a->cost == b->cost;
}

/* Fronts of contenders in ascending cost. `best` has the best score of each front so far, which falls from
 * front to front: a contender belongs to the first whose best it exceeds. */
static void find_fronts(struct place *places, int scored, struct contender *c, double *best)
{
    int fronts = 0;
    double best_of_all = -(double)INFINITY;
    for (int i = 0; i < scored; i++) {
        struct contender *own = &c[places[i].c - c];
        int low = 0, high = fronts;
        while (low < high) {
            const int middle = low + (high - low) / 2;
            if (best[middle] >= own->score)
                low = middle + 1;
            else
                high = middle;
        }
        if (i > 0 && equal(places[i - 1].c, own)) { /* neither is better */
            own->front = places[i - 1].c->front;
        } else {
            fronts += low == fronts;
            best[low] = own->score;
            own->front = low + 1;
        }
        best_of_all = fmax(best_of_all, own->score);
        places[i].behind = best_of_all - own->score;
    }
}

static int first_front(const struct place *places, int scored)
{
    int n = 0;
    while (n < scored && places[n].c->front == 1)
        n++;
    return n;
}

enum status search_decide(const struct search_options *o, struct contender *c, int n, struct err *e)
{
    struct place *places = mem_calloc((size_t)n + 1, sizeof *places);
    double *best = mem_calloc((size_t)n + 1, sizeof *best);
    int scored = 0, promoted = search_places(o, n);
    enum status status = ST_OK;
    if (places && best) {
        for (int i = 0; i < n; i++) {
            places[i].c = &c[i];
            scored += !isnan(c[i].score);
            c[i].front = 0;
        }
        if (o->mode == SEARCH_PARETO) {
            qsort(places, (size_t)n, sizeof *places, by_cost);
            find_fronts(places, scored, c, best);
            qsort(places, (size_t)n, sizeof *places, by_front);
            const int kept = first_front(places, scored);
            promoted = kept > promoted ? kept : promoted;
        } else {
            qsort(places, (size_t)n, sizeof *places, by_score);
        }
        for (int i = 0; i < n; i++) {
            struct contender *own = &c[places[i].c - c];
            own->rank = i + 1;
            own->promoted = i < promoted && i < scored;
        }
    } else {
        status = err_set(e, ST_NOMEM, "out of memory");
    }
    mem_free(places);
    mem_free(best);
    return status;
}
