#include "sweep/spec_problems.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "sweep/space.h"

/* "path:line:column: text" taken apart; without a place all of it is text. */
static const char *split_error(const char *error, const char *path, struct mark *at)
{
    const size_t n = strlen(path);
    int used = 0;
    if (strncmp(error, path, n) == 0 && sscanf(error + n, ":%d:%d: %n", &at->line, &at->column, &used) == 2 &&
        used > 0)
        return error + n + used;
    *at = (struct mark){0, 0};
    return error;
}

static bool same_mark(struct mark a, struct mark b)
{
    return a.line == b.line && a.column == b.column;
}

/* Whether an error only says that something is missing which was left out. */
static bool follows(const struct spec_cut *cuts, int count, struct mark at, const char *text)
{
    for (int i = 0; i < count; i++) {
        if (cuts[i].found && same_mark(cuts[i].from, at) &&
            (strstr(text, "is missing") || strstr(text, "is empty") || strstr(text, "takes two numbers")))
            return true;
    }
    return false;
}

/* For keys that cannot be left out: something that is right in their place. `number` makes names differ. */
static const char *right_value(struct spec_problems *p, const char *text, int number)
{
    static const struct {
        const char *key, *value;
    } values[] = {{"version", "1"}, {"name", "x"}, {"format", "idx"}, {"path", "."}, {"kind", "curve"}};
    char *id;
    const char *end = strstr(text, ": "), *key = end;
    while (key && key > text && key[-1] != '.' && key[-1] != ' ')
        key--;
    const size_t n = key ? (size_t)(end - key) : 0;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (n == strlen(values[i].key) && strncmp(key, values[i].key, n) == 0)
            return values[i].value;
    }
    if (n != 2 || strncmp(key, "id", n) != 0 || !(id = arena_alloc(&p->arena, 1, 32)))
        return NULL;
    int index;
    if (sscanf(text, "sweep[%d].id", &index) == 1) /* messages about the rest of the block name it so */
        snprintf(id, 32, "block-%d", index + 1);
    else
        snprintf(id, 32, "problem-%d", number);
    return id;
}

static enum status add(struct spec_problems *p, struct mark at, const char *text, struct err *e)
{
    for (int i = 0; i < p->count; i++) {
        if (same_mark(p->items[i].at, at) && strcmp(p->items[i].text, text) == 0)
            return ST_OK;
    }
    const char *kept = arena_strdup(&p->arena, text);
    if (!kept)
        return err_set(e, ST_NOMEM, "out of memory");
    p->items[p->count++] = (struct spec_problem){at, kept};
    return ST_OK;
}

/* Everything that can be said of the spec without its cuts: ST_USAGE with the first error. */
static enum status look(struct spec_problems *p, const char *text, size_t n, const char *path,
                        spec_check *check, struct spec_cut *cuts, int count, struct err *why)
{
    struct spec spec;
    struct space space = {.trial_count = 0};
    enum status st = spec_parse_without(text, n, path, cuts, count, &spec, why);
    if (st == ST_OK && check)
        st = check(&spec, why);
    if (st == ST_OK) {
        st = space_build(&spec, &space, why);
        p->trials = space.named_count; /* not the shorter rungs of a search */
        p->excluded = 0;
        for (int i = 0; st == ST_OK && i < space.named_count; i++)
            p->excluded += space.trials[i].skip_reason != NULL;
        p->trials -= p->excluded;
        if (st == ST_OK)
            st = space_check_trains(&spec, &space, why);
        space_release(&space);
    }
    spec_release(&spec);
    return st;
}

/* The data are looked for even when something else is wrong, as long as the spec says where. */
static enum status check_data(struct spec_problems *p, const char *text, size_t n, const char *path,
                              struct spec_cut *cuts, int count, struct err *e)
{
    struct spec spec;
    struct err why = ERR_INIT;
    struct mark at;
    enum status st = spec_parse_without(text, n, path, cuts, count, &spec, &why);
    if (st == ST_OK && spec_check_data(&spec, &why) != ST_OK && p->count < SPEC_MAX_PROBLEMS) {
        const char *reason = split_error(why.text, path, &at);
        st = add(p, at, reason, e);
    } else if (st == ST_NOMEM) {
        err_set(e, st, "%s", why.text);
    } else {
        st = ST_OK;
    }
    spec_release(&spec);
    return st;
}

static int by_place(const void *a, const void *b)
{
    const struct mark *x = &((const struct spec_problem *)a)->at, *y = &((const struct spec_problem *)b)->at;
    return x->line != y->line ? x->line - y->line : x->column - y->column;
}

static enum status find_all(struct spec_problems *p, const char *text, size_t n, const char *path, bool data,
                            spec_check *check, struct err *e)
{
    struct spec_cut cuts[2 * SPEC_MAX_PROBLEMS];
    int count = 0;
    for (;;) {
        struct err why = ERR_INIT;
        struct mark at;
        enum status st = look(p, text, n, path, check, cuts, count, &why);
        if (st == ST_OK)
            break;
        if (st != ST_USAGE)
            return err_set(e, st, "%s", why.text);
        const char *reason = split_error(why.text, path, &at);
        if (!follows(cuts, count, at, reason))
            st = add(p, at, reason, e);
        if (st == ST_NOMEM)
            return st;
        const bool missing = strstr(reason, "is missing") != NULL,
                   stuck = count > 0 && !cuts[count - 1].found;
        if (stuck || (missing && at.line == 1) || at.line == 0 || p->count == SPEC_MAX_PROBLEMS ||
            count == 2 * SPEC_MAX_PROBLEMS) {
            p->more = true;
            break;
        }
        cuts[count] = (struct spec_cut){.at = at, .instead = missing ? NULL : right_value(p, reason, count)};
        count++;
    }
    const enum status st = data ? check_data(p, text, n, path, cuts, count, e) : ST_OK;
    qsort(p->items, (size_t)p->count, sizeof *p->items, by_place);
    return st;
}

enum status spec_problems_find(const char *path, bool data, spec_check *check, struct spec_problems *out,
                               struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    *out = (struct spec_problems){.count = 0};
    arena_init(&out->arena);
    enum status st = file_read(path, SPEC_MAX_BYTES, &text, &n, e);
    if (st == ST_OK)
        st = find_all(out, text, n, path, data, check, e);
    mem_free(text);
    return st;
}

void spec_problems_release(struct spec_problems *p)
{
    arena_release(&p->arena);
    *p = (struct spec_problems){.count = 0};
}
