#include "sweep/spec_problems.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "sweep/forecast.h"
#include "sweep/space_notes.h"
#include "sweep/suggest.h"

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

/* The last word of the key that a problem begins with, in `out`: "id" of "sweep[2].id: is missing". */
enum { KEY_TEXT = 32 };
static const char *key_of(const char *text, char out[KEY_TEXT])
{
    const char *end = strstr(text, ": "), *key = end;
    while (key && key > text && key[-1] != '.' && key[-1] != ' ')
        key--;
    snprintf(out, KEY_TEXT, "%.*s", key ? (int)(end - key) : 0, key ? key : "");
    return out;
}

/* Was the missing key there, under this name? As it is, misspelt, or as the kind of block that `random` is.
 */
static bool is_meant(const char *cut, const char *missing)
{
    const bool kind = strcmp(cut, "lhs") == 0 || strcmp(cut, "sobol") == 0;
    return strcmp(cut, missing) == 0 || suggest_word(cut, &missing, 1) ||
           (kind && strcmp(missing, "random") == 0);
}

/* Whether an error only says that something is missing which was left out. */
static bool follows(const struct spec_cut *cuts, int count, struct mark at, const char *text)
{
    char key[KEY_TEXT];
    key_of(text, key);
    for (int i = 0; i < count; i++)
        if (cuts[i].found && !cuts[i].missing && same_mark(cuts[i].from, at) &&
            ((strstr(text, "is missing") && is_meant(cuts[i].key, key)) || strstr(text, "is empty") ||
             strstr(text, "takes two numbers") || strstr(text, "has no distribution")))
            return true;
    return false;
}

/* Does a problem concern the block `id`, or blocks whose ids are not known? */
static bool is_of_block(const char *problem, const char *id)
{
    const size_t n = strlen(id);
    const char *name =
        strncmp(problem, "sweep.", 6) == 0 || strncmp(problem, "block ", 6) == 0 ? problem + 6 : NULL;
    return strncmp(problem, "sweep: ", 7) == 0 || strncmp(problem, "sweep[", 6) == 0 ||
           (name && strncmp(name, id, n) == 0 && (name[n] == '.' || name[n] == ':'));
}

/* Whether an error only says that a figure's block is missing, which was left out because of a problem. */
static bool follows_block(const struct spec_problems *p, const char *text)
{
    static const char missing[] = "there is no block ";
    const char *found = strncmp(text, "plots", 5) == 0 ? strstr(text, missing) : NULL;
    if (!found)
        return false;
    char id[128];
    found += strlen(missing);
    snprintf(id, sizeof id, "%.*s", (int)strcspn(found, ",;"), found);
    for (int i = 0; i < p->count; i++)
        if (is_of_block(p->items[i].text, id))
            return true;
    return false;
}

/* For keys that cannot be left out: something that is right in their place. `number` makes names differ. Of
 * an image folder no shape is assumed. */
static const char *right_value(struct spec_problems *p, const char *text, int number)
{
    static const struct {
        const char *key, *value;
    } values[] = {
        {"version", "1"},           {"name", "x"},        {"data", "{format: image-folder, path: ., val: 1}"},
        {"format", "image-folder"}, {"path", "."},        {"n", "1"},
        {"kind", "curve"},          {"random", "{n: 1}"}, {"params", "{winograd: [true]}"}};
    char *id, key[KEY_TEXT];
    key_of(text, key);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(key, values[i].key) == 0)
            return values[i].value;
    if (strcmp(key, "id") != 0 || !(id = arena_alloc(&p->arena, 1, 32)))
        return NULL;
    int index;
    if (sscanf(text, "sweep[%d].id", &index) == 1) /* messages about the rest of the block name it so */
        snprintf(id, 32, "block-%d", index + 1);
    else
        snprintf(id, 32, "problem-%d", number);
    return id;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* What to change so that what is wrong there no longer hides the rest. `known`: it follows from a change. */
static enum status next_cut(struct spec_problems *p, struct mark at, const char *reason, bool known,
                            int number, struct spec_cut *out, struct err *e)
{
    char key[KEY_TEXT];
    const bool of_key = strstr(reason, "unknown key") || strstr(reason, "is given twice");
    if (starts_with(reason, "is empty")) /* all that was there is left out */
        reason = "version: is missing";
    const bool missing = strstr(reason, "is missing") != NULL;
    key_of(reason, key);
    /* A block without what it draws, or draws from, has no point. */
    const bool drawn = missing && known && (strcmp(key, "random") == 0 || strcmp(key, "params") == 0);
    *out = (struct spec_cut){.at = at, .instead = of_key || drawn ? NULL : right_value(p, reason, number)};
    out->whole = drawn || starts_with(reason, "sweep: with block ") || starts_with(reason, "block ") ||
                 (starts_with(reason, "plots") && !of_key);
    if (!out->instead || !missing)
        return ST_OK;
    out->missing = arena_strdup(&p->arena, key);
    return out->missing ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
}

static enum status add(struct spec_problems *p, struct mark at, const char *text, struct err *e)
{
    for (int i = 0; i < p->count; i++)
        if (same_mark(p->items[i].at, at) && strcmp(p->items[i].text, text) == 0)
            return ST_OK;
    const char *kept = arena_strdup(&p->arena, text);
    if (!kept)
        return err_set(e, ST_NOMEM, "out of memory");
    p->items[p->count++] = (struct spec_problem){at, kept};
    return ST_OK;
}

/* Is one of the problems in the section data? */
static bool data_is_wrong(const struct spec_problems *p)
{
    for (int i = 0; i < p->count; i++)
        if (strncmp(p->items[i].text, "data", 4) == 0)
            return true;
    return false;
}

/* Adds what is wrong with the data, or with the trials for it: `space` NULL, or nothing else wrong. ST_NOMEM.
 */
static enum status check_data(struct spec_problems *p, const struct spec *spec, const struct space *space,
                              struct err *e)
{
    struct err why = ERR_INIT, reason = ERR_INIT;
    struct data_look data;
    struct mark at;
    enum status st = spec_check_data(spec, &why);
    if (st == ST_OK && data_is_wrong(p)) /* what stands in for a wrong format says nothing */
        return ST_OK;
    if (st == ST_OK && (st = dataset_look(&spec->data, &data, &reason)) != ST_OK)
        err_set(&why, st, "%s:%d:%d: data: %s", spec->path, spec->data_path_mark.line,
                spec->data_path_mark.column, reason.text);
    if (st == ST_OK)
        st = image_counts_check(spec, &why);
    if (st == ST_OK && space)
        st = space_check_data(spec, space, &data, &why);
    if (st == ST_OK || p->count == SPEC_MAX_PROBLEMS)
        return ST_OK;
    if (st == ST_NOMEM)
        return err_set(e, st, "%s", why.text);
    const char *text = split_error(why.text, spec->path, &at);
    return add(p, at, text, e);
}

/* Not wrong, but not what was asked for either. */
static enum status find_notes(struct spec_problems *p, const struct spec *spec, const struct space *space,
                              bool data, struct err *e)
{
    struct strbuf notes = STRBUF_INIT;
    space_notes(spec, space, data ? image_counts_of(&spec->data).train : -1, &notes);
    p->notes = notes.len ? arena_strdup(&p->arena, notes.text) : NULL;
    const bool failed = notes.failed || (notes.len && !p->notes);
    strbuf_release(&notes);
    return failed ? err_set(e, ST_NOMEM, "out of memory") : ST_OK;
}

/* Everything that can be said of the spec without its cuts: ST_USAGE with the first error. */
static enum status look(struct spec_problems *p, const char *text, size_t n, const char *path, bool data,
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
        if (st == ST_OK && count == 0) /* what was left out may have been all there was to train */
            st = space_check_trains(&spec, &space, why);
        if (st == ST_OK && count == 0)
            st = find_notes(p, &spec, &space, data, why);
        if (st == ST_OK && data)
            st = check_data(p, &spec, p->count == 0 ? &space : NULL, why);
        space_release(&space);
    }
    spec_release(&spec);
    return st;
}

/* The data are looked for even when something else is wrong, as long as the spec says where. */
static enum status check_data_only(struct spec_problems *p, const char *text, size_t n, const char *path,
                                   struct spec_cut *cuts, int count, struct err *e)
{
    struct spec spec;
    struct err why = ERR_INIT;
    enum status st = spec_parse_without(text, n, path, cuts, count, &spec, &why);
    if (st == ST_OK)
        st = check_data(p, &spec, NULL, e);
    else
        st = st == ST_NOMEM ? err_set(e, st, "%s", why.text) : ST_OK;
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
        enum status st = look(p, text, n, path, data, check, cuts, count, &why);
        if (st == ST_OK) {
            data = false; /* seen */
            break;
        }
        if (st != ST_USAGE)
            return err_set(e, st, "%s", why.text);
        const char *reason = split_error(why.text, path, &at);
        const bool known = follows(cuts, count, at, reason);
        if (!known && !follows_block(p, reason))
            st = add(p, at, reason, e);
        if (st == ST_NOMEM)
            return st;
        const bool stuck = count > 0 && !cuts[count - 1].found;
        if (stuck || at.line == 0 || p->count == SPEC_MAX_PROBLEMS || count == 2 * SPEC_MAX_PROBLEMS) {
            p->more = true;
            break;
        }
        st = next_cut(p, at, reason, known, count, &cuts[count], e);
        if (st != ST_OK)
            return st;
        count++;
    }
    const enum status st = data ? check_data_only(p, text, n, path, cuts, count, e) : ST_OK;
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
