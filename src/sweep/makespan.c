/* When a sweep would be done, by playing its schedule through, and the packing for which that is soonest. */
#include <math.h>

#include "sweep/packing.h"

/* More trials than this per core: then the end, where cores may lie idle, is a small part of the whole, and
 * trials side by side need no barrier. */
enum { MANY_PER_CORE = 32 };
/* What fewer workers must promise, in parts of the time and in seconds: predictions err, and the threads of
 * one trial wait for each other, long ones on a machine that does other work, too. */
static const double WORTH_PART = 0.05, WORTH_FEWER_S = 2;

struct running {
    int trial, threads;
    double left;  /* share of the trial */
    double since; /* when that was so */
    double end;
    bool full; /* further threads do not help */
};

struct play {
    const struct packing_request *r;
    const struct packing *p;
    const struct packing_trials *t;
    struct running running[PACKING_MAX_WORKERS];
    int count, next, free_cores;
    double now;
};

static double seconds(const struct play *y, int trial, int threads)
{
    return y->t->seconds(y->t->context, trial, threads);
}

static void start_what_can(struct play *y)
{
    while (y->next < y->t->count) {
        struct packing_request r = *y->r;
        r.useful_threads = y->t->useful(y->t->context, y->next);
        int threads = packing_threads(y->p, &r, y->free_cores, y->count, y->t->count - y->next);
        if (threads == 0)
            return;
        double end = y->now + seconds(y, y->next, threads);
        y->running[y->count++] = (struct running){y->next++, threads, 1, y->now, end, false};
        y->free_cores -= threads;
    }
}

static void set_threads(struct play *y, struct running *w, int threads)
{
    double before = seconds(y, w->trial, w->threads), after = seconds(y, w->trial, threads);
    if (after >= before) {
        w->full = true;
        return;
    }
    w->left -= (y->now - w->since) / before;
    w->since = y->now;
    w->end = y->now + w->left * after;
    y->free_cores -= threads - w->threads;
    w->threads = threads;
}

/* As grow_workers does when nothing waits. */
static void grow(struct play *y)
{
    double remaining_s[PACKING_MAX_WORKERS];
    int threads[PACKING_MAX_WORKERS], useful[PACKING_MAX_WORKERS], added[PACKING_MAX_WORKERS],
        index[PACKING_MAX_WORKERS], n = 0;
    if (y->r->threads > 0 || y->next < y->t->count || y->free_cores <= 0)
        return;
    for (int i = 0; i < y->count; i++) {
        struct running *w = &y->running[i];
        double left = w->end - y->now;
        if (left > PACKING_GROW_WORTH_S && !w->full) {
            remaining_s[n] = left;
            threads[n] = w->threads;
            useful[n] = y->t->useful(y->t->context, w->trial);
            index[n++] = i;
        }
    }
    packing_grow(remaining_s, threads, useful, n, y->free_cores, added);
    for (int i = 0; i < n; i++)
        if (added[i] > 0)
            set_threads(y, &y->running[index[i]], threads[i] + added[i]);
}

/* Goes to the next end of a trial. */
static void end_one(struct play *y)
{
    int first = 0;
    for (int i = 1; i < y->count; i++)
        first = y->running[i].end < y->running[first].end ? i : first;
    y->now = y->running[first].end;
    y->free_cores += y->running[first].threads;
    y->running[first] = y->running[--y->count];
}

double packing_makespan(const struct packing_request *r, const struct packing *p,
                        const struct packing_trials *t)
{
    struct play y = {.r = r, .p = p, .t = t, .free_cores = r->cores};
    for (start_what_can(&y); y.count > 0; start_what_can(&y)) {
        grow(&y);
        end_one(&y);
    }
    return y.now;
}

/* Whether so many workers fit into memory whichever trials they have: their largest ones at once. The trials
 * stand longest first, which is not always largest first. */
static bool fits(const struct packing_request *r, const struct packing *p, const struct packing_trials *t)
{
    double largest[PACKING_MAX_WORKERS] = {0}, sum = 0;
    int n = 0;
    if (r->memory_bytes <= 0 || r->workers > 0 || p->workers <= 1)
        return true;
    for (int i = 0; i < t->count; i++) {
        double bytes = t->memory(t->context, i, p->threads);
        if (n == p->workers && bytes <= largest[n - 1])
            continue;
        int k = n < p->workers ? n++ : n - 1;
        for (; k > 0 && largest[k - 1] < bytes; k--)
            largest[k] = largest[k - 1];
        largest[k] = bytes;
    }
    for (int i = 0; i < n; i++)
        sum += largest[i];
    return sum <= r->memory_bytes;
}

/* The packing with at most so many workers. */
static struct packing with_workers(const struct packing_request *r, int workers)
{
    struct packing_request fixed = *r;
    fixed.workers = workers;
    return packing_plan(&fixed);
}

static int most_workers(const struct packing_request *r)
{
    int most = r->workers > 0 ? r->workers : r->cores / (r->threads > 1 ? r->threads : 1);
    most = most < r->pending ? most : r->pending;
    most = most < PACKING_MAX_WORKERS ? most : PACKING_MAX_WORKERS;
    return most > 1 ? most : 1;
}

struct packing packing_choose(const struct packing_request *r, const struct packing_trials *t,
                              double *makespan_s)
{
    const int most = most_workers(r);
    const bool many = t->count > (int64_t)MANY_PER_CORE * r->cores;
    struct packing best = {0};
    double best_s = INFINITY, enough_s = INFINITY;
    for (int workers = most; workers >= 1; workers--) {
        struct packing p = with_workers(r, workers);
        if (!fits(r, &p, t))
            continue;
        double s = packing_makespan(r, &p, t);
        if (best.workers == 0)
            enough_s = s - fmax(WORTH_PART * s, WORTH_FEWER_S);
        if (best.workers == 0 || (s <= enough_s && s < best_s)) {
            best = p;
            best_s = s;
        }
        if (r->workers > 0 || many)
            break;
    }
    *makespan_s = best_s;
    return best;
}
