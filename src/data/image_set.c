#include "data/image_set.h"

#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"

enum status image_memory_check(size_t count, struct shape shape, struct err *e)
{
    struct cpu_info machine;
    double bytes = (double)count * (double)shape_bytes(shape), mib = 1024.0 * 1024.0;
    if (bytes <= 64 * mib) /* every machine has that: no need to look */
        return ST_OK;
    cpu_detect(&machine);
    if (machine.memory_bytes == 0 || bytes <= (double)machine.memory_bytes)
        return ST_OK;
    return err_set(
        e, ST_NOMEM,
        "%zu images of %dx%dx%d (channels, height, width) need %.0f MiB, this machine has %.0f MiB: "
        "use smaller or fewer images",
        count, shape.c, shape.h, shape.w, bytes / mib, (double)machine.memory_bytes / mib);
}

bool image_memory_is_short(size_t count, struct shape shape, size_t memory)
{
    return memory > 0 && (double)count * (double)shape_bytes(shape) > (double)memory / 2;
}

enum status image_set_alloc(struct image_set *s, size_t capacity, struct shape shape, struct err *e)
{
    *s = (struct image_set){0};
    enum status status = image_memory_check(capacity, shape, e);
    if (status != ST_OK)
        return status;
    s->pixels = mem_alloc(capacity, shape_bytes(shape));
    s->labels = mem_calloc(capacity, sizeof *s->labels);
    if (!s->pixels || !s->labels) {
        image_set_release(s);
        return err_set(e, ST_NOMEM, "out of memory for %zu images of %dx%dx%d", capacity, shape.c, shape.h,
                       shape.w);
    }
    return ST_OK;
}

void image_set_release(struct image_set *s)
{
    for (size_t i = 0; s->names && i < s->count; i++)
        mem_free(s->names[i]);
    mem_free(s->names);
    mem_free(s->pixels);
    mem_free(s->labels);
    mem_free(s->places);
    *s = (struct image_set){0};
}

static size_t count_choice(const uint8_t *choice, size_t count, enum split wanted)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += choice[i] == wanted;
    return found;
}

static enum status alloc_places(struct image_set *s, size_t count, struct err *e)
{
    s->places = mem_alloc(count, sizeof *s->places);
    return s->places ? ST_OK : err_set(e, ST_NOMEM, "out of memory for the numbers of %zu images", count);
}

/* Appends image `from` of `source` to `to`; the two may be the same set when from >= to->count. */
static void append_image(struct image_set *to, const struct image_set *source, size_t from,
                         size_t image_bytes)
{
    memmove(to->pixels + to->count * image_bytes, source->pixels + from * image_bytes, image_bytes);
    to->labels[to->count] = source->labels[from];
    to->places[to->count] = (uint32_t)from;
    to->count++;
}

/* Gives back what a smaller set does not need; a failure to shrink costs nothing. */
static void shrink(struct image_set *s, size_t image_bytes)
{
    uint8_t *pixels = mem_realloc(s->pixels, s->count, image_bytes);
    uint16_t *labels = mem_realloc(s->labels, s->count, sizeof *s->labels);
    s->pixels = pixels ? pixels : s->pixels;
    s->labels = labels ? labels : s->labels;
}

enum status image_set_partition(struct image_set *s, const uint8_t *choice, enum split keep,
                                struct shape shape, struct image_set *val, struct err *e)
{
    size_t total = s->count, image_bytes = shape_bytes(shape);
    size_t kept = count_choice(choice, total, keep), val_count = count_choice(choice, total, SPLIT_VAL);
    if (kept == total)
        return ST_OK;
    enum status status = alloc_places(s, kept, e);
    if (status == ST_OK && val_count > 0)
        status = image_set_alloc(val, val_count, shape, e);
    if (status == ST_OK && val_count > 0)
        status = alloc_places(val, val_count, e);
    if (status != ST_OK)
        return status;
    s->count = 0;
    for (size_t i = 0; i < total; i++)
        if (choice[i] == keep)
            append_image(s, s, i, image_bytes);
        else if (choice[i] == SPLIT_VAL)
            append_image(val, s, i, image_bytes);
    shrink(s, image_bytes);
    return ST_OK;
}

enum status class_names_numbered(struct dataset *d, struct err *e)
{
    d->class_names = mem_calloc((size_t)d->classes, sizeof *d->class_names);
    for (int k = 0; d->class_names && k < d->classes; k++) {
        d->class_names[k] = mem_printf("%d", k);
        if (!d->class_names[k])
            return err_set(e, ST_NOMEM, "out of memory for %d class names", d->classes);
    }
    return d->class_names ? ST_OK : err_set(e, ST_NOMEM, "out of memory for %d class names", d->classes);
}
