/* Numbers by hash: which of many things, kept elsewhere, may be the one that is looked for. */
#ifndef REPORT_LOOKUP_H
#define REPORT_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct lookup {
    size_t count, capacity; /* capacity: 0 or a power of two, more than half of it free */
    struct lookup_slot *slots;
};

#define LOOKUP_NONE SIZE_MAX

/* Where a walk through the candidates of a hash stands; starts as {0}. */
struct lookup_walk {
    size_t step;
};

/* The next number that was put under this hash, or LOOKUP_NONE. */
size_t lookup_next(const struct lookup *l, uint64_t hash, struct lookup_walk *walk);
/* Puts a number under a hash; several may share one. False: no memory, and nothing has changed. */
bool lookup_put(struct lookup *l, struct arena *arena, uint64_t hash, size_t number);

#endif
