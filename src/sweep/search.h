/* Search with a budget: successive halving. All variants are trained for a few epochs (the first rung), the
 * best of them for eta times as many, and so on; the last rung has the spec's epochs. Each rung is a training
 * of its own whose learning rate goes through its whole schedule: the middle of a longer schedule would say
 * little about its end. Ideas: Jamieson and Talwalkar, arXiv:1502.07943; Li et al., arXiv:1810.05934.
 *
 * Decisions are a pure function of a rung's results, so that whoever takes them, and however often, they are
 * the same. */
#ifndef SWEEP_SEARCH_H
#define SWEEP_SEARCH_H

#include "base/err.h"
#include "sweep/spec.h"

/* Rungs of a training of so many epochs: as many as fit between min_epochs and epochs; 1 = no search. */
int search_rungs(const struct search_options *o, int epochs);
/* Epochs of a rung, 1-based: epochs / eta^(rungs - rung), rounded. */
int search_epochs(const struct search_options *o, int epochs, int rung);
/* How many of n variants go on: a share of 1 / eta, at least one. In pareto mode more may. */
int search_places(const struct search_options *o, int n);

/* A variant in a rung: one architecture under one recipe, all seeds together. */
struct contender {
    double score; /* mean validation top-1 over its seeds; NaN: not all of them came to a result */
    double cost;
    int front; /* out: 1 = nothing of equal or smaller cost is as good, 2 = only such are, ...; 0 = no score
                */
    int rank;  /* out: from 1 */
    bool promoted; /* out */
};

/* Ranks the contenders and says which go on.
 * - SEARCH_ACCURACY: by score, the cheaper first among equals; the first search_places go on.
 * - SEARCH_PARETO: by front; within a front by how far a variant is behind the best of equal or smaller cost,
 *   then by score. The first search_places go on, and in any case the whole first front: nothing is dropped
 *   for something larger.
 * What has no score ranks last and never goes on. Ties are broken by the contenders' order. ST_NOMEM. */
enum status search_decide(const struct search_options *o, struct contender *c, int n, struct err *e);

#endif
