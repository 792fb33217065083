#include "report/ranks.h"

#include <math.h>

#include "base/mem.h"
#include "report/statistics.h"

/* Ranks of v less their mean, so that a correlation is a scalar product; their sum of squares. */
static double centred_ranks(const double *v, size_t n, double *rank)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        size_t below = 0, equal = 0;
        for (size_t k = 0; k < n; k++) {
            below += v[k] < v[i];
            equal += v[k] == v[i];
        }
        rank[i] = (double)below + (double)(equal + 1) / 2 - (double)(n + 1) / 2;
        squares += rank[i] * rank[i];
    }
    return squares;
}

/* Orders of b[at..n) whose scalar product with a, on top of `sum`, reaches `least`. */
static size_t orders_reaching(const double *a, double *b, size_t n, size_t at, double sum, double least)
{
    if (at == n)
        return sum >= least;
    size_t found = 0;
    for (size_t i = at; i < n; i++) {
        const double chosen = b[i];
        b[i] = b[at];
        b[at] = chosen;
        found += orders_reaching(a, b, n, at + 1, sum + a[at] * chosen, least);
        b[at] = b[i];
        b[i] = chosen;
    }
    return found;
}

static double chance(const double *a, double *b, size_t n, double product, double rho)
{
    if (n > RANKS_EXACT)
        return rho >= 1 ? 0 : 1 - student_t_cdf(rho * sqrt((double)(n - 2) / (1 - rho * rho)), n - 2);
    double orders = 1;
    for (size_t i = 2; i <= n; i++)
        orders *= (double)i;
    /* Ranks are multiples of a half: products closer than this are the same. */
    return (double)orders_reaching(a, b, n, 0, 0, product - 0.125) / orders;
}

enum status rank_agreement(const double *a, const double *b, size_t n, struct rank_agreement *out,
                           struct err *e)
{
    *out = (struct rank_agreement){n, NAN, NAN};
    if (n < 2)
        return ST_OK;
    double *ranks = mem_alloc(2 * n, sizeof *ranks);
    if (!ranks)
        return err_set(e, ST_NOMEM, "cannot rank %zu values: out of memory", n);
    const double squares = centred_ranks(a, n, ranks) * centred_ranks(b, n, ranks + n);
    double product = 0;
    for (size_t i = 0; i < n; i++)
        product += ranks[i] * ranks[n + i];
    if (squares > 0) {
        out->rho = product / sqrt(squares);
        out->p = chance(ranks, ranks + n, n, product, out->rho);
    }
    mem_free(ranks);
    return ST_OK;
}
