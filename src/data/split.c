#include "data/split.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/image_set.h"

/* Images grouped by class: members[start[k] .. start[k + 1]) are the indices of class k, ascending. */
struct groups {
    int classes;
    size_t count;
    size_t *start;     /* classes + 1 */
    uint32_t *members; /* count */
    uint32_t *order;   /* count: room for one class's permutation */
    size_t *first;     /* classes: images of each class that the first part takes */
    size_t *second;    /* classes: ... and the second part */
};

static void groups_release(struct groups *g)
{
    mem_free(g->start);
    mem_free(g->members);
    mem_free(g->order);
    mem_free(g->first);
    mem_free(g->second);
}

static enum status groups_init(struct groups *g, const uint16_t *labels, size_t count, int classes,
                               struct err *e)
{
    size_t n = (size_t)classes;
    *g = (struct groups){.classes = classes, .count = count};
    g->start = mem_calloc(n + 1, sizeof *g->start);
    g->members = mem_alloc(count, sizeof *g->members);
    g->order = mem_alloc(count, sizeof *g->order);
    g->first = mem_calloc(n, sizeof *g->first);
    g->second = mem_calloc(n, sizeof *g->second);
    if (!g->start || !g->members || !g->order || !g->first || !g->second) {
        groups_release(g);
        return err_set(e, ST_NOMEM, "out of memory while splitting %zu images", count);
    }
    for (size_t i = 0; i < count; i++)
        g->start[labels[i] + 1]++;
    for (size_t k = 0; k < n; k++)
        g->start[k + 1] += g->start[k];
    for (size_t i = 0; i < count; i++) /* `first` counts what is placed already; zero again below */
        g->members[g->start[labels[i]] + g->first[labels[i]]++] = (uint32_t)i;
    memset(g->first, 0, n * sizeof *g->first);
    return ST_OK;
}

static size_t group_size(const struct groups *g, int k)
{
    return g->start[k + 1] - g->start[k];
}

struct share {
    uint64_t remainder;
    int class;
};

static int compare_shares(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    if (x->remainder != y->remainder)
        return x->remainder > y->remainder ? -1 : 1;
    return x->class - y->class;
}

/* Divides `total` among the classes in proportion to what each has beyond `taken` (largest remainder). */
static enum status divide(const struct groups *g, const size_t *taken, size_t total, size_t *quota,
                          struct err *e)
{
    struct share *shares = mem_alloc((size_t)g->classes, sizeof *shares);
    if (!shares)
        return err_set(e, ST_NOMEM, "out of memory while splitting %zu images", g->count);
    uint64_t available = 0, given = 0;
    for (int k = 0; k < g->classes; k++)
        available += group_size(g, k) - taken[k];
    for (int k = 0; k < g->classes; k++) {
        uint64_t product = (uint64_t)total * (group_size(g, k) - taken[k]);
        quota[k] = available ? product / available : 0;
        shares[k] = (struct share){available ? product % available : 0, k};
        given += quota[k];
    }
    qsort(shares, (size_t)g->classes, sizeof *shares, compare_shares);
    for (int i = 0; given < total && i < g->classes; i++, given++)
        quota[shares[i].class]++;
    mem_free(shares);
    return ST_OK;
}

/* In each class, the first images of its permutation get `first_mark`, the next ones `second_mark`, the rest
 * SPLIT_COUNT. */
static void mark(const struct groups *g, uint64_t seed, uint64_t set, enum split first_mark,
                 enum split second_mark, uint8_t *choice)
{
    memset(choice, SPLIT_COUNT, g->count);
    for (int k = 0; k < g->classes; k++) {
        struct rng rng = rng_stream(seed, RNG_SPLIT, (uint64_t)k, set);
        const uint32_t *members = g->members + g->start[k];
        rng_permutation(&rng, g->order, group_size(g, k));
        for (size_t i = 0; i < g->first[k] + g->second[k]; i++)
            choice[members[g->order[i]]] = (uint8_t)(i < g->first[k] ? first_mark : second_mark);
    }
}

static size_t limited(size_t count, int limit)
{
    return limit > 0 && (size_t)limit < count ? (size_t)limit : count;
}

/* Does val leave a training image? */
static enum status check_val(const struct data_source *source, size_t count, struct err *e)
{
    size_t val = source->val > 0 ? (size_t)source->val : 0;
    if (val >= count) {
        return err_set(e, ST_USAGE, "val is %zu, but %s has %zu training images: allowed are 0 to %zu", val,
                       source->path, count, count ? count - 1 : 0);
    }
    return ST_OK;
}

enum status split_training(const uint16_t *labels, size_t count, int classes,
                           const struct data_source *source, uint8_t *choice, struct err *e)
{
    size_t val = source->val > 0 ? (size_t)source->val : 0;
    struct groups g;
    enum status status = check_val(source, count, e);
    if (status != ST_OK)
        return status;
    status = groups_init(&g, labels, count, classes, e);
    if (status != ST_OK)
        return status;
    status = divide(&g, g.second, val, g.first, e); /* `second` is all zero yet: nothing taken */
    if (status == ST_OK)
        status = divide(&g, g.first, limited(count - val, source->train_limit), g.second, e);
    if (status == ST_OK)
        mark(&g, source->val_seed, 0, SPLIT_VAL, SPLIT_TRAIN, choice);
    groups_release(&g);
    return status;
}

enum status split_test(const uint16_t *labels, size_t count, int classes, const struct data_source *source,
                       uint8_t *choice, struct err *e)
{
    struct groups g;
    enum status status = groups_init(&g, labels, count, classes, e);
    if (status != ST_OK)
        return status;
    status = divide(&g, g.second, limited(count, source->test_limit), g.first, e);
    if (status == ST_OK)
        mark(&g, source->val_seed, 1, SPLIT_TEST, SPLIT_TEST, choice);
    groups_release(&g);
    return status;
}

enum status split_loaded(struct dataset *d, const struct data_source *source, struct err *e)
{
    struct image_set *train = &d->sets[SPLIT_TRAIN], *test = &d->sets[SPLIT_TEST];
    struct image_set none = {0}; /* a test set gives nothing to validation */
    size_t longest = train->count > test->count ? train->count : test->count;
    uint8_t *choice = mem_alloc(longest, 1);
    if (!choice)
        return err_set(e, ST_NOMEM, "out of memory while splitting %zu images", longest);
    enum status status = split_training(train->labels, train->count, d->classes, source, choice, e);
    if (status == ST_OK)
        status = image_set_partition(train, choice, SPLIT_TRAIN, d->image, &d->sets[SPLIT_VAL], e);
    if (status == ST_OK)
        status = split_test(test->labels, test->count, d->classes, source, choice, e);
    if (status == ST_OK)
        status = image_set_partition(test, choice, SPLIT_TEST, d->image, &none, e);
    mem_free(choice);
    return status;
}
