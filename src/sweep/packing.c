#include "sweep/packing.h"

static int at_least_one(int n)
{
    return n > 1 ? n : 1;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* The cores divided among workers, not more than help. */
static int share(const struct packing_request *r, int cores, int workers)
{
    return at_least_one(smaller(cores / at_least_one(workers), r->useful_threads));
}

/* Workers that fit into memory. */
static int fitting(const struct packing_request *r)
{
    if (r->memory_bytes <= 0 || r->worker_bytes <= 0)
        return PACKING_MAX_WORKERS;
    double fit = r->memory_bytes / r->worker_bytes;
    return fit >= PACKING_MAX_WORKERS ? PACKING_MAX_WORKERS : at_least_one((int)fit);
}

double packing_memory(double machine_bytes, double data_bytes)
{
    double left = 0.8 * machine_bytes - data_bytes;
    return machine_bytes <= 0 ? 0 : left > 1 ? left : 1;
}

struct packing packing_plan(const struct packing_request *r)
{
    int workers = r->workers;
    if (workers == 0)
        workers = smaller(r->cores / at_least_one(r->threads), fitting(r));
    workers = at_least_one(smaller(smaller(workers, r->pending), PACKING_MAX_WORKERS));
    int threads = r->threads > 0 ? r->threads : share(r, r->cores, workers);
    /* Shared cores are divided without a rest (packing_threads), so auto threads use all of them. */
    bool all = r->threads > 0 ? (int64_t)workers * threads == r->cores
                              : workers <= r->cores && (int64_t)workers * r->useful_threads >= r->cores;
    return (struct packing){workers, threads, all};
}

int packing_threads(const struct packing *p, const struct packing_request *r, int free_cores, int running,
                    int pending)
{
    int starting = smaller(p->workers - running, pending);
    if (starting <= 0)
        return 0;
    if (r->threads > 0 || p->workers > r->cores)
        return p->threads;
    if (free_cores < 1)
        return 0;
    /* Rounded up: the trial that starts first is the longest. */
    return share(r, free_cores + starting - 1, starting);
}

void packing_grow(const double *remaining_s, const int *threads, const int *useful, int n, int free_cores,
                  int *added)
{
    for (int i = 0; i < n; i++)
        added[i] = 0;
    for (; free_cores > 0; free_cores--) {
        int last = -1;
        double latest = 0;
        for (int i = 0; i < n; i++) {
            double end = remaining_s[i] * threads[i] / (threads[i] + added[i]);
            if (threads[i] + added[i] < useful[i] && end > latest) {
                latest = end;
                last = i;
            }
        }
        if (last < 0)
            return;
        added[last]++;
    }
}

bool packing_take_cores(bool *in_use, int cores, int n, int *taken)
{
    int found = 0;
    for (int i = 0; i < cores && found < n; i++)
        if (!in_use[i])
            taken[found++] = i;
    if (found < n)
        return false;
    for (int i = 0; i < n; i++)
        in_use[taken[i]] = true;
    return true;
}

double packing_remaining_s(const double *running_s, int running, const double *pending_ops, int pending,
                           int slots, double ops_per_s)
{
    double free_at[PACKING_MAX_WORKERS] = {0};
    double last = 0;
    slots = at_least_one(smaller(slots, PACKING_MAX_WORKERS));
    for (int i = 0; i < running && i < PACKING_MAX_WORKERS; i++) {
        last = running_s[i] > last ? running_s[i] : last;
        free_at[i] = running_s[i];
    }
    slots = running > slots ? smaller(running, PACKING_MAX_WORKERS) : slots;
    for (int i = 0; i < pending; i++) {
        int first = 0;
        for (int s = 1; s < slots; s++)
            first = free_at[s] < free_at[first] ? s : first;
        free_at[first] += pending_ops[i] / ops_per_s;
        last = free_at[first] > last ? free_at[first] : last;
    }
    return last;
}
