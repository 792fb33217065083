#include "report/plot_tasks.h"

#include <stdbool.h>
#include <string.h>

#include "base/strbuf.h"
#include "sweep/spec.h"

struct block_row {
    int64_t sweep_id, id;
    const char *sweep, *name;
    const char *spec_path, *spec_text;
};

struct block_rows {
    size_t count, capacity;
    struct block_row *items;
};

void plot_tasks_init(struct plot_tasks *t)
{
    memset(t, 0, sizeof *t);
    arena_init(&t->arena);
}

void plot_tasks_release(struct plot_tasks *t)
{
    arena_release(&t->arena);
    plot_tasks_init(t);
}

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot collect the figures to draw: out of memory");
}

/* Makes room for one more element of an array in an arena. */
static bool reserve(struct arena *arena, void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    size_t larger = *capacity ? 2 * *capacity : 16;
    void *copy = arena_alloc(arena, larger, size);
    if (!copy)
        return false;
    if (count > 0)
        memcpy(copy, *items, count * size);
    *items = copy;
    *capacity = larger;
    return true;
}

static const char *cell_copy(struct arena *arena, struct cell c)
{
    return arena_strdup(arena, c.type == CELL_TEXT ? c.text : "");
}

static enum status add_block(struct arena *arena, const struct store_query *q, struct block_rows *blocks,
                             struct err *e)
{
    void *items = blocks->items;
    if (!reserve(arena, &items, blocks->count, &blocks->capacity, sizeof *blocks->items))
        return no_memory(e);
    blocks->items = items;
    struct block_row *b = &blocks->items[blocks->count];
    *b = (struct block_row){store_query_cell(q, 0).i,
                            store_query_cell(q, 1).i,
                            cell_copy(arena, store_query_cell(q, 2)),
                            cell_copy(arena, store_query_cell(q, 3)),
                            cell_copy(arena, store_query_cell(q, 4)),
                            cell_copy(arena, store_query_cell(q, 5))};
    if (!b->sweep || !b->name || !b->spec_path || !b->spec_text)
        return no_memory(e);
    blocks->count++;
    return ST_OK;
}

/* All blocks that their sweep's spec still has. */
static enum status read_blocks(struct store *s, struct arena *arena, struct block_rows *out, struct err *e)
{
    struct store_query *q = NULL;
    enum status status =
        store_query_open(s,
                         "SELECT s.id, b.id, s.name, b.name, s.spec_path, s.spec_text FROM sweep s"
                         " JOIN block b ON b.sweep_id = s.id WHERE EXISTS(SELECT 1 FROM block_trial m"
                         " WHERE m.block_id = b.id AND m.in_spec) ORDER BY s.id, b.position",
                         &q, e);
    for (bool row = true; status == ST_OK;) {
        status = store_query_next(q, &row, e);
        if (status != ST_OK || !row)
            break;
        status = add_block(arena, q, out, e);
    }
    store_query_close(q);
    return status;
}

/* By the block's name, or by SWEEP/BLOCK as queries show it where there are several sweeps. */
static bool is_wanted(const struct block_row *b, const char *block)
{
    const size_t n = strlen(b->sweep);
    return !block || strcmp(b->name, block) == 0 ||
           (strncmp(block, b->sweep, n) == 0 && block[n] == '/' && strcmp(block + n + 1, b->name) == 0);
}

static enum status check_block(const struct store *s, const struct plot_options *o,
                               const struct block_rows *blocks, struct err *e)
{
    struct strbuf known = STRBUF_INIT;
    const size_t n = blocks->count;
    const bool several = n > 0 && blocks->items[0].sweep_id != blocks->items[n - 1].sweep_id;
    bool found = !o->block;
    for (size_t i = 0; i < n; i++) {
        const struct block_row *b = &blocks->items[i];
        found = found || is_wanted(b, o->block);
        strbuf_printf(&known, "%s%s%s%s", i ? ", " : "", several ? b->sweep : "", several ? "/" : "",
                      b->name);
    }
    enum status status = ST_OK;
    if (blocks->count == 0)
        status = err_set(e, ST_FAILED, "%s: there is no sweep in it yet, so there is nothing to plot",
                         store_path(s));
    else if (!found)
        status = err_set(e, ST_USAGE, "%s: there is no block \"%s\"; its blocks are %s", store_path(s),
                         o->block, known.text);
    strbuf_release(&known);
    return status;
}

static enum status add_task(struct plot_tasks *t, const struct block_row *b, const struct plot_options *o,
                            const struct plot_request *r, struct err *e)
{
    void *items = t->items;
    if (!reserve(&t->arena, &items, t->count, &t->capacity, sizeof *t->items))
        return no_memory(e);
    t->items = items;
    const char *x = o->x ? o->x : r->x, *y = o->y ? o->y : r->y;
    struct plot_task task = {arena_strdup(&t->arena, r->kind),
                             {b->id, b->sweep, b->name, x ? arena_strdup(&t->arena, x) : NULL,
                              y ? arena_strdup(&t->arena, y) : NULL}};
    if (!task.kind || (x && !task.figure.x) || (y && !task.figure.y))
        return no_memory(e);
    t->items[t->count++] = task;
    return ST_OK;
}

/* One request for n blocks. */
static enum status add_request(struct plot_tasks *t, const struct block_row *blocks, size_t n,
                               const struct plot_options *o, const struct plot_request *r, struct err *e)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < n && status == ST_OK; i++)
        if (is_wanted(&blocks[i], r->block) && is_wanted(&blocks[i], o->block))
            status = add_task(t, &blocks[i], o, r, e);
    return status;
}

static enum status add_usual_kinds(struct plot_tasks *t, const struct block_row *blocks, size_t n,
                                   const struct plot_options *o, struct err *e)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; plot_kind_name(k) && status == ST_OK; k++)
            if (plot_kind_usual(k))
                status =
                    add_request(t, &blocks[i], 1, o, &(struct plot_request){.kind = plot_kind_name(k)}, e);
    return status;
}

static const struct block *block_named(const struct spec *spec, const char *name)
{
    for (int i = 0; i < spec->block_count; i++)
        if (strcmp(spec->blocks[i].id, name) == 0)
            return &spec->blocks[i];
    return NULL;
}

/* What can be seen of a block by its kind: of random points what each axis does and how results are spread,
 * of a grid what two axes do together. */
static enum status add_suiting_kinds(struct plot_tasks *t, const struct block_row *row,
                                     const struct plot_options *o, const struct spec *spec, struct err *e)
{
    static const char *const of_random[] = {"effects", "parallel", "edf", NULL},
                             *const of_grid[] = {"heatmap", "effects", NULL}, *const of_others[] = {NULL};
    const struct block *b = block_named(spec, row->name);
    const char *const *kinds = of_others;
    if (b && b->random.n > 0)
        kinds = of_random;
    else if (b && b->grid_count >= 2)
        kinds = of_grid;
    enum status status = ST_OK;
    for (size_t k = 0; kinds[k] && status == ST_OK; k++)
        status = add_request(t, row, 1, o, &(struct plot_request){.kind = kinds[k]}, e);
    return status;
}

/* The figures of one sweep, whose n blocks are given. */
static enum status add_sweep(struct plot_tasks *t, const struct block_row *blocks, size_t n,
                             const struct plot_options *o, struct err *e)
{
    if (o->kind)
        return add_request(t, blocks, n, o, &(struct plot_request){.kind = o->kind}, e);
    struct spec spec;
    enum status status =
        spec_parse(blocks->spec_text, strlen(blocks->spec_text), blocks->spec_path, &spec, e);
    if (status != ST_OK)
        err_prefix(e, "cannot read which plots sweep \"%s\" requests, name a kind instead", blocks->sweep);
    else if (spec.plot_count == 0)
        status = add_usual_kinds(t, blocks, n, o, e);
    for (int i = 0; status == ST_OK && i < spec.plot_count; i++)
        status = add_request(t, blocks, n, o, &spec.plots[i], e);
    for (size_t i = 0; status == ST_OK && o->suiting && i < n; i++)
        status = add_suiting_kinds(t, &blocks[i], o, &spec, e);
    spec_release(&spec);
    return status;
}

enum status plot_tasks_collect(struct store *s, const struct plot_options *o, struct plot_tasks *out,
                               struct err *e)
{
    struct block_rows blocks = {0, 0, NULL};
    enum status status = read_blocks(s, &out->arena, &blocks, e);
    if (status == ST_OK)
        status = check_block(s, o, &blocks, e);
    for (size_t first = 0, next; status == ST_OK && first < blocks.count; first = next) {
        for (next = first;
             next < blocks.count && blocks.items[next].sweep_id == blocks.items[first].sweep_id;)
            next++;
        status = add_sweep(out, &blocks.items[first], next - first, o, e);
    }
    return status;
}
