#include "report/plot_report.h"

#include <stdbool.h>
#include <string.h>

#include "base/hash.h"
#include "base/strbuf.h"

void plot_report_init(struct plot_report *r)
{
    memset(r, 0, sizeof *r);
    arena_init(&r->arena);
}

void plot_report_release(struct plot_report *r)
{
    arena_release(&r->arena);
    plot_report_init(r);
}

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot list the figures: out of memory");
}

/* Makes room for one more element. */
static void *reserved(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t larger = *capacity ? 2 * *capacity : 16;
    void *copy = arena_alloc(arena, larger, size);
    if (copy && count > 0)
        memcpy(copy, items, count * size);
    if (copy)
        *capacity = larger;
    return copy;
}

/* A part of a file name: other characters become '_', and the hash of the original then keeps names apart. */
static void put_part(struct strbuf *out, const char *text)
{
    enum { LONGEST = 80 };
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    bool changed = strlen(text) > LONGEST;
    for (size_t i = 0; i < LONGEST && text[i]; i++) {
        bool fits = strchr(allowed, text[i]);
        char shown = text[i];
        if (!fits)
            shown = '_';
        strbuf_putc(out, shown);
        changed = changed || !fits;
    }
    if (changed) {
        char hash[HASH_TEXT];
        hash_text(hash_bytes(text, strlen(text)), hash);
        strbuf_printf(out, "_%.8s", hash);
    }
}

static bool is_other(const char *given, const char *usual)
{
    return given && strcmp(given, usual) != 0;
}

static void put_name(struct strbuf *out, const char *kind, const struct plot_defaults *defaults,
                     const struct figure_request *request)
{
    put_part(out, request->sweep);
    strbuf_putc(out, '-');
    put_part(out, request->name);
    strbuf_printf(out, "-%s", kind);
    if (is_other(request->y, defaults->y)) {
        strbuf_putc(out, '-');
        put_part(out, request->y);
    }
    if (is_other(request->x, defaults->x)) {
        strbuf_puts(out, "-over-");
        put_part(out, request->x);
    }
}

static struct plot_file *find_data(struct plot_report *r, const char *data)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->files[i].data, data) == 0)
            return &r->files[i];
    return NULL;
}

static bool is_same(const struct plot_file *file, const struct figure_request *request)
{
    return strcmp(file->sweep, request->sweep) == 0 && strcmp(file->block, request->name) == 0;
}

/* Two blocks can come to one name: sweep "a-b", block "c" and sweep "a", block "b-c". */
static void put_distinction(struct strbuf *name, const struct figure_request *request)
{
    char hash[HASH_TEXT];
    struct strbuf both = STRBUF_INIT;
    strbuf_printf(&both, "%s\n%s", request->sweep, request->name);
    hash_text(hash_bytes(both.text, both.len), hash);
    strbuf_printf(name, "_%.8s", hash);
    name->failed = name->failed || both.failed;
    strbuf_release(&both);
}

enum status plot_report_add(struct plot_report *r, const char *folder, const char *kind, const char *image,
                            const struct plot_defaults *defaults, const struct figure_request *request,
                            struct plot_file **out, struct err *e)
{
    struct plot_file *files = reserved(&r->arena, r->files, r->count, &r->capacity, sizeof *files);
    if (!files)
        return no_memory(e);
    r->files = files;
    struct strbuf name = STRBUF_INIT;
    put_name(&name, kind, defaults, request);
    const char *data = arena_printf(&r->arena, "%s/%s.csv", folder, name.text);
    struct plot_file *earlier = data ? find_data(r, data) : NULL;
    if (earlier && !is_same(earlier, request)) {
        put_distinction(&name, request);
        data = arena_printf(&r->arena, "%s/%s.csv", folder, name.text);
        earlier = data ? find_data(r, data) : NULL;
    }
    const char *figure = arena_printf(&r->arena, "%s/%s.%s", folder, name.text, image);
    bool failed = name.failed || !data || !figure;
    strbuf_release(&name);
    if (failed)
        return no_memory(e);
    *out = NULL;
    if (earlier)
        return ST_OK;
    struct plot_file file = {.kind = arena_strdup(&r->arena, kind),
                             .sweep = arena_strdup(&r->arena, request->sweep),
                             .block = arena_strdup(&r->arena, request->name),
                             .figure = figure,
                             .data = data};
    if (!file.kind || !file.sweep || !file.block)
        return no_memory(e);
    r->files[r->count] = file;
    *out = &r->files[r->count++];
    return ST_OK;
}

enum status plot_report_skip(struct plot_report *r, const char *kind, const struct figure_request *request,
                             const char *reason, struct err *e)
{
    const char **skipped =
        reserved(&r->arena, r->skipped, r->skipped_count, &r->skipped_capacity, sizeof *skipped);
    if (!skipped)
        return no_memory(e);
    r->skipped = skipped;
    skipped[r->skipped_count] =
        arena_printf(&r->arena, "sweep %s, block %s, %s: %s", request->sweep, request->name, kind, reason);
    if (!skipped[r->skipped_count])
        return no_memory(e);
    r->skipped_count++;
    return ST_OK;
}
