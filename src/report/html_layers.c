/* Layer lists for the page. Ten thousand variants differ in their 24 widths and hardly in anything else: so
 * the page holds each list of layers once, and the widths with each variant. What depends on the widths,
 * parameters and multiply-accumulates of each layer, the page multiplies out; its sums are those of the
 * metamodel. */
#include "report/html_private.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "metamodel/arch.h"

struct shape_list {
    uint64_t hash;
    char *json;
};

struct html_shapes {
    size_t count, capacity;
    struct shape_list *items;
};

struct html_shapes *html_shapes_create(void)
{
    return mem_calloc(1, sizeof(struct html_shapes));
}

void html_shapes_free(struct html_shapes *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        mem_free(s->items[i].json);
    mem_free(s->items);
    mem_free(s);
}

/* "conv", with its filters where no width of a Fire says them. */
static bool width_is_elsewhere(const struct layer *l)
{
    return strncmp(l->name, "fire", 4) == 0;
}

static const char *kind_of(const struct layer *l)
{
    static const char *const names[] = {[LAYER_CONV] = "conv",
                                        [LAYER_MAXPOOL] = "max pool",
                                        [LAYER_ADD] = "add",
                                        [LAYER_DROPOUT] = "dropout",
                                        [LAYER_AVGPOOL] = "average pool"};
    return names[l->kind];
}

/* [name, kind, in, out, kernel, stride, pad, filters or 0, rows, columns], ... */
static void put_layer(struct strbuf *json, const struct arch *a, const struct layer *l)
{
    const struct shape *out = &a->tensors[l->out];
    const bool window = l->kind == LAYER_CONV || l->kind == LAYER_MAXPOOL;
    strbuf_printf(json, "[\"%s\",\"%s\",%d,%d,%d,%d,%d,%d,%d,%d]", l->name, kind_of(l), l->in, l->out,
                  window ? l->kernel : 0, window ? l->stride : 0, window ? l->pad : 0,
                  l->kind == LAYER_CONV && !width_is_elsewhere(l) ? l->cout : 0, out->h, out->w);
}

static void put_layers(struct strbuf *json, const struct arch *a)
{
    strbuf_printf(json, "{\"channels\":%d,\"layers\":[", a->input.c);
    for (int i = 0; i < a->layer_count; i++) {
        strbuf_puts(json, i ? ",\n" : "");
        put_layer(json, a, &a->layers[i]);
    }
    strbuf_puts(json, "]}");
}

static enum status add(struct html_shapes *s, const char *json, uint64_t hash, struct err *e)
{
    if (s->count == s->capacity) {
        const size_t capacity = s->capacity ? 2 * s->capacity : 8;
        struct shape_list *items = mem_realloc(s->items, capacity, sizeof *items);
        if (!items)
            return err_set(e, ST_NOMEM, "out of memory");
        s->items = items;
        s->capacity = capacity;
    }
    s->items[s->count] = (struct shape_list){hash, mem_strdup(json)};
    if (!s->items[s->count].json)
        return err_set(e, ST_NOMEM, "out of memory");
    s->count++;
    return ST_OK;
}

enum status html_shapes_find(struct html_shapes *s, const struct design *d, int *out, struct err *e)
{
    struct arch a;
    struct strbuf json = STRBUF_INIT;
    *out = -1;
    if (arch_build(d, &a, NULL) != ST_OK)
        return ST_OK;
    put_layers(&json, &a);
    const uint64_t hash = hash_bytes(json.text, json.len);
    enum status status = json.failed ? err_set(e, ST_NOMEM, "out of memory") : ST_OK;
    for (size_t i = s->count; status == ST_OK && *out < 0 && i-- > 0;)
        if (s->items[i].hash == hash && strcmp(s->items[i].json, json.text) == 0)
            *out = (int)i;
    if (status == ST_OK && *out < 0) {
        status = add(s, json.text, hash, e);
        *out = (int)s->count - 1;
    }
    strbuf_release(&json);
    return status;
}

void html_shapes_write(const struct html_shapes *s, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < s->count; i++)
        fprintf(out, "%s%s", i ? ",\n" : "", s->items[i].json);
    fputc(']', out);
}
