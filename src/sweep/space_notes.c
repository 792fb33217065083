#include "sweep/space_notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sweep/space_internal.h"

struct notes {
    const struct spec *spec;
    const struct space *space;
    struct strbuf *out;
    /* The block at work and where its memberships begin: those of a point's seeds are neighbours. */
    const struct block *block;
    int first, count;
};

/* "sweep.yaml:6:21: key: text", once for each key. */
static void note(const struct notes *n, struct mark at, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void note(const struct notes *n, struct mark at, const char *key, const char *format, ...)
{
    char start[300], text[512];
    va_list args;
    snprintf(start, sizeof start, ": %s: ", key);
    if (strstr(n->out->text, start))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    strbuf_printf(n->out, "%s:%d:%d%s%s\n", n->spec->path, at.line, at.column, start, text);
}

static void note_sampling(const struct notes *n, int block)
{
    const struct sampling *s = &n->space->samplings[block];
    const enum sampler sampler = n->spec->blocks[block].random.sampler;
    const bool broken = sampler != SAMPLER_RANDOM && s->tried > s->points;
    char text[SAMPLING_TEXT];
    if (s->points == s->wanted && !broken)
        return;
    space_sampling_text(n->spec, n->space, block, text, sizeof text);
    strbuf_printf(
        n->out, "block %s has %s%s\n", n->spec->blocks[block].id, text,
        !broken ? ""
        : sampler == SAMPLER_LHS
            ? "; so it is no Latin hypercube: some parts of a range have no point, others more than one"
            : "; so its Sobol sequence has gaps, and it is less even");
}

/* Does any trial of the block (NULL: of the sweep) have an optimizer that reads the key? */
static bool is_read(const struct notes *n, const struct field *f)
{
    const int end = n->block ? n->first + n->count : n->space->membership_count;
    bool read = f->optimizers == 0;
    for (int i = n->block ? n->first : 0; i < end && !read; i++)
        read = field_applies(f, &n->space->trials[n->space->memberships[i].trial].point.recipe);
    return read;
}

static void note_unread(const struct notes *n, const char *key, struct mark at, const char *prefix)
{
    const struct field *f = field_find(SECTION_AXIS, key);
    char path[256], readers[64] = "";
    if (is_read(n, f))
        return;
    for (int i = 0; i <= OPTIMIZER_ADAMW; i++)
        if (f->optimizers >> i & 1)
            snprintf(readers + strlen(readers), sizeof readers - strlen(readers), "%s%s",
                     readers[0] ? " or " : "", optimizer_name((enum optimizer)i));
    snprintf(path, sizeof path, "%s.%s", prefix, key);
    note(n, at, path, "has no effect, as no trial of this %s has the optimizer %s",
         n->block ? "block" : "sweep", readers);
}

/* The keys that the block sets in any way. */
static void note_unread_keys(const struct notes *n)
{
    const struct block *b = n->block;
    char prefix[160];
    snprintf(prefix, sizeof prefix, "sweep.%s.set", b->id);
    for (int i = 0; i < b->set.count; i++)
        note_unread(n, b->set.items[i].key, b->set.items[i].value.mark, prefix);
    snprintf(prefix, sizeof prefix, "sweep.%s.list", b->id);
    for (int i = 0; i < b->list_count; i++)
        for (int k = 0; k < b->list[i].count; k++)
            note_unread(n, b->list[i].items[k].key, b->list[i].items[k].value.mark, prefix);
    snprintf(prefix, sizeof prefix, "sweep.%s.zip", b->id);
    for (int i = 0; i < b->zip_count; i++)
        note_unread(n, b->zip[i].key, b->zip[i].mark, prefix);
    snprintf(prefix, sizeof prefix, "sweep.%s.grid", b->id);
    for (int i = 0; i < b->grid_count; i++)
        note_unread(n, b->grid[i].key, b->grid[i].mark, prefix);
    snprintf(prefix, sizeof prefix, "sweep.%s.params", b->id);
    for (int i = 0; i < b->random.count; i++)
        note_unread(n, b->random.params[i].axis.key, b->random.params[i].axis.mark, prefix);
}

static int by_text(const void *a, const void *b)
{
    const struct axis_value *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order                          ? order
           : x->mark.line != y->mark.line ? x->mark.line - y->mark.line
                                          : x->mark.column - y->mark.column;
}

/* Whether the axis has a value more than once; *out is one that is there before. */
static bool is_repeated(const struct notes *n, const struct axis *axis, struct axis_value *out)
{
    bool found = false;
    struct axis_value *sorted = mem_alloc((size_t)axis->count + 1, sizeof *sorted);
    n->out->failed = n->out->failed || !sorted;
    if (!sorted)
        return false;
    memcpy(sorted, axis->values, (size_t)axis->count * sizeof *sorted);
    qsort(sorted, (size_t)axis->count, sizeof *sorted, by_text);
    for (int i = 1; i < axis->count && !found; i++) {
        found = strcmp(sorted[i].text, sorted[i - 1].text) == 0;
        *out = sorted[i];
    }
    mem_free(sorted);
    return found;
}

/* Do all points that differ in this axis alone have the same trials? `stride`: points from one of its values
 * to the next. */
static bool is_idle(const struct notes *n, int stride, int values)
{
    const struct membership *m = &n->space->memberships[n->first];
    const int seeds = n->spec->seed_count;
    for (int i = 0; i < n->count; i++) {
        const int point = i / seeds, behind = point / stride % values;
        if (m[i].trial != m[i - behind * stride * seeds].trial)
            return false;
    }
    return true;
}

static void note_grid(const struct notes *n)
{
    int stride = 1;
    for (int i = 0; i < n->block->grid_count; i++)
        stride *= n->block->grid[i].count;
    for (int i = 0; i < n->block->grid_count; i++) {
        const struct axis *axis = &n->block->grid[i];
        stride /= axis->count;
        struct axis_value again;
        char key[256];
        snprintf(key, sizeof key, "sweep.%s.grid.%s", n->block->id, axis->key);
        if (is_repeated(n, axis, &again))
            note(n, again.mark, key, "%s is given twice, which adds no trial", again.text);
        else if (axis->count > 1 && is_idle(n, stride, axis->count))
            note(n, axis->mark, key,
                 "has no effect: with all its values the layers and the recipe are the same");
    }
}

/* A step of more images than there are is one of all. */
static void note_batches(const struct notes *n, double train_images)
{
    const struct field *batch = field_find(SECTION_TRAIN, "batch");
    for (int i = n->first; i < n->first + n->count; i++) {
        const struct trial *t = &n->space->trials[n->space->memberships[i].trial];
        struct place place;
        if (train_images <= 0 || t->point.recipe.batch <= train_images || t->skip_reason)
            continue;
        space_place_value(n->spec, (int)(n->block - n->spec->blocks), batch, &t->point, &place);
        note(n, place.at, place.key, "%d is more than the %.0f training images: each step takes all of them",
             t->point.recipe.batch, train_images);
    }
}

void space_notes(const struct spec *spec, const struct space *space, double train_images, struct strbuf *out)
{
    struct notes n = {.spec = spec, .space = space, .out = out};
    for (int i = 0; i < spec->train_given.count; i++)
        note_unread(&n, spec->train_given.items[i].key, spec->train_given.items[i].value.mark, "train");
    for (int block = 0; block < spec->block_count; block++) {
        n.block = &spec->blocks[block];
        n.first += n.count;
        for (n.count = 0; n.first + n.count < space->membership_count;)
            if (space->memberships[n.first + n.count].block == block)
                n.count++;
            else
                break;
        note_sampling(&n, block);
        note_unread_keys(&n);
        if (n.block->random.n == 0)
            note_grid(&n);
        note_batches(&n, train_images);
    }
}

bool space_note_next(const char **at, char out[NOTE_TEXT])
{
    const size_t n = *at ? strcspn(*at, "\n") : 0;
    if (n == 0)
        return false;
    snprintf(out, NOTE_TEXT, "%.*s", (int)n, *at);
    *at += n + 1;
    return true;
}
