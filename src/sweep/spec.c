#include "sweep/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "sweep/spec_error.h"
#include "sweep/spec_read.h"
#include "sweep/suggest.h"

/* Fields of data, search, budget and run get their defaults from the table, base and train from point_init.
 */
static enum status defaults_set(struct spec *spec, struct err *e)
{
    for (size_t i = 0; i < field_count(); i++) {
        const struct field *f = field_at(i);
        bool of_spec = f->section == SECTION_DATA || f->section == SECTION_BUDGET ||
                       f->section == SECTION_RUN || f->section == SECTION_SEARCH;
        if (of_spec && f->initial) {
            enum status st = field_set(f, spec, f->initial, e);
            if (st != ST_OK)
                return st;
        }
    }
    return point_init(&spec->base, e);
}

static enum status data_read(struct reader *r, const struct node *node)
{
    struct spec *spec = r->spec;
    struct given given;
    enum status st = section_scan(r, node, SECTION_DATA, "data", &given);
    if (st == ST_OK)
        st = section_assign(r, node, SECTION_DATA, "data", spec);
    if (st != ST_OK)
        return st;
    spec->data_path_mark = given_value(&given, SECTION_DATA, "path")->mark;
    const struct node *val = given_value(&given, SECTION_DATA, "val");
    spec->data_val_mark = val ? val->mark : spec->data_path_mark;
    const struct node *resize = given_value(&given, SECTION_DATA, "resize");
    spec->data_shape_mark = resize ? resize->mark : given_value(&given, SECTION_DATA, "format")->mark;
    if (resize && spec->data.format != DATA_IMAGE_FOLDER)
        return reader_fail(r, resize->mark, "data", "resize",
                           "has no effect on format %s, allowed with image-folder",
                           data_format_name(spec->data.format));
    const struct node *skip_bad = given_value(&given, SECTION_DATA, "skip_bad");
    if (skip_bad && spec->data.skip_bad && spec->data.format != DATA_IMAGE_FOLDER)
        return reader_fail(r, skip_bad->mark, "data", "skip_bad",
                           "has no effect on format %s, allowed with image-folder",
                           data_format_name(spec->data.format));
    const struct node *memory = given_value(&given, SECTION_DATA, "memory");
    if (memory && spec->data.memory == DATA_STREAM && spec->data.format != DATA_IMAGE_FOLDER)
        return reader_fail(r, memory->mark, "data", "memory",
                           "cannot be stream with format %s, allowed with image-folder",
                           data_format_name(spec->data.format));
    return ST_OK;
}

/* Applies a value to the base point and remembers it for blocks that start from another preset. */
static enum status base_give(struct reader *r, const struct field *f, const struct axis_value *value)
{
    struct spec *spec = r->spec;
    spec->base_given.items[spec->base_given.count++] = (struct assignment){f->key, *value};
    return field_set(f, &spec->base, value->text, r->e);
}

/* What the data format says about the images, for the base's own keys to change; the data is not read here.
 */
static enum status base_from_data(struct reader *r)
{
    const struct data_source *data = &r->spec->data;
    const struct field *input = field_find(SECTION_BASE, "input"),
                       *classes = field_find(SECTION_BASE, "classes");
    struct axis_value shape = {NULL, r->spec->data_shape_mark}, count = shape;
    char resized[64];
    switch (data->format) {
    case DATA_IDX:
        shape.text = "1x28x28";
        count.text = "10";
        break;
    case DATA_CIFAR10:
        shape.text = "3x32x32";
        count.text = "10";
        break;
    case DATA_CIFAR100:
        shape.text = "3x32x32";
        count.text = "100";
        break;
    case DATA_IMAGE_FOLDER:
        snprintf(resized, sizeof resized, "%dx%dx%d", r->spec->base.design.macro.input.c, data->resize_h,
                 data->resize_w);
        if (data->resize_h > 0) {
            shape.text = arena_strdup(&r->spec->arena, resized);
            if (!shape.text)
                return reader_no_memory(r);
        }
        break;
    }
    enum status st = shape.text ? base_give(r, input, &shape) : ST_OK;
    if (st == ST_OK && count.text)
        st = base_give(r, classes, &count);
    return st;
}

/* Explicit Fires leave nothing for the metaparameters to do. */
static enum status base_check(const struct reader *r, const struct given *given)
{
    for (size_t i = 0; r->spec->base.design.explicit_fires && i < field_count(); i++) {
        if (given->key[i] && field_is_metaparameter(field_at(i)))
            return reader_fail(r, given->key[i]->mark, "base", field_at(i)->key,
                               "has no effect beside `fires`, allowed: one of them");
    }
    return ST_OK;
}

/* The preset first, wherever it stands; then what the data format fixes; then the other keys in order. */
static enum status base_read(struct reader *r, const struct node *node)
{
    struct spec *spec = r->spec;
    const struct field *preset = field_find(SECTION_BASE, "preset");
    struct given given = {.key = {NULL}};
    enum status st = node ? section_scan(r, node, SECTION_BASE, "base", &given) : ST_OK;
    const struct node *preset_node = given.value[field_index(preset)];
    struct axis_value value;
    if (st == ST_OK && preset_node)
        st = axis_value_read(r, preset, preset_node, "base", &value);
    if (st == ST_OK && preset_node) {
        spec->preset_given = (struct assignment){preset->key, value};
        st = field_set(preset, &spec->base, value.text, r->e);
    }
    if (st != ST_OK)
        return st;
    enum { FROM_DATA = 2 };
    spec->base_given.items = arena_alloc(&spec->arena, (size_t)(node ? node->count : 0) + FROM_DATA,
                                         sizeof *spec->base_given.items);
    if (!spec->base_given.items)
        return reader_no_memory(r);
    st = base_from_data(r);
    for (const struct node_item *item = node ? node->items : NULL; st == ST_OK && item; item = item->next) {
        const struct field *f = field_find(SECTION_BASE, item->key->text);
        if (f == preset)
            continue;
        st = axis_value_read(r, f, item->value, "base", &value);
        if (st == ST_OK)
            st = base_give(r, f, &value);
    }
    return st == ST_OK ? base_check(r, &given) : st;
}

static enum status train_read(struct reader *r, const struct node *node)
{
    struct assignments *out = &r->spec->train_given;
    struct given given;
    if (!node)
        return ST_OK;
    enum status st = section_scan(r, node, SECTION_TRAIN, "train", &given);
    if (st != ST_OK)
        return st;
    out->items = arena_alloc(&r->spec->arena, (size_t)node->count, sizeof *out->items);
    if (!out->items)
        return reader_no_memory(r);
    for (const struct node_item *item = node->items; st == ST_OK && item; item = item->next) {
        const struct field *f = field_find(SECTION_TRAIN, item->key->text);
        struct assignment *a = &out->items[out->count];
        a->key = f->key;
        st = axis_value_read(r, f, item->value, "train", &a->value);
        if (st == ST_OK) {
            out->count++;
            st = field_set(f, &r->spec->base, a->value.text, r->e);
        }
    }
    return st;
}

/* Sections whose keys all hold one value. */
static enum status plain_section_read(struct reader *r, const struct node *node, enum section section,
                                      const char *prefix, void *target)
{
    struct given given;
    if (!node)
        return ST_OK;
    enum status st = section_scan(r, node, section, prefix, &given);
    return st == ST_OK ? section_assign(r, node, section, prefix, target) : st;
}

/* A command as a list of words: nothing is split, expanded or quoted. */
static enum status command_read(struct reader *r, const struct node *node)
{
    struct spec *spec = r->spec;
    int count = 0;
    if (!node)
        return ST_OK;
    enum status st = reader_expect(r, node, NODE_SEQUENCE, NULL, "on_finish", "a list of texts");
    if (st != ST_OK)
        return st;
    if (node->count == 0)
        return reader_fail(r, node->mark, NULL, "on_finish",
                           "is empty, allowed: a program and its arguments");
    spec->on_finish = arena_alloc(&spec->arena, (size_t)node->count + 1, sizeof *spec->on_finish);
    if (!spec->on_finish)
        return reader_no_memory(r);
    for (const struct node_item *item = node->items; item; item = item->next) {
        const bool text = item->value->kind == NODE_SCALAR && (count > 0 || *item->value->text);
        if (!text)
            return reader_fail(r, item->value->mark, NULL, "on_finish",
                               "word %d is no text, allowed: a program and its arguments", count + 1);
        spec->on_finish[count] = arena_strdup(&spec->arena, item->value->text);
        if (!spec->on_finish[count++])
            return reader_no_memory(r);
    }
    return ST_OK;
}

struct seed_at {
    uint64_t seed;
    int index;
    struct mark mark;
};

static int seed_compare(const void *a, const void *b)
{
    const struct seed_at *x = a, *y = b;
    if (x->seed != y->seed)
        return x->seed < y->seed ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* The first seed that repeats an earlier one, or NULL. */
static const struct seed_at *seed_repeated(struct seed_at *seeds, int count)
{
    const struct seed_at *first = NULL;
    qsort(seeds, (size_t)count, sizeof *seeds, seed_compare);
    for (int i = 1; i < count; i++)
        if (seeds[i].seed == seeds[i - 1].seed && (!first || seeds[i].index < first->index))
            first = &seeds[i];
    return first;
}

static enum status seeds_read(struct reader *r, const struct node *node)
{
    static const struct field seed = {.section = SECTION_ROOT, .key = "seeds", .kind = FIELD_SEED};
    struct spec *spec = r->spec;
    if (node) {
        enum status st =
            reader_expect(r, node, NODE_SEQUENCE, NULL, "seeds", "a list of whole numbers such as [1, 2, 3]");
        if (st != ST_OK)
            return st;
    }
    int count = node ? node->count : 1;
    struct seed_at *sorted = arena_alloc(&r->nodes, (size_t)count, sizeof *sorted);
    spec->seeds = arena_alloc(&spec->arena, (size_t)count, sizeof *spec->seeds);
    if (!sorted || !spec->seeds)
        return reader_no_memory(r);
    spec->seeds[0] = 1;
    spec->seed_count = count;
    int i = 0;
    for (const struct node_item *item = node ? node->items : NULL; item; item = item->next, i++) {
        const char *text;
        struct err cause = ERR_INIT;
        enum status st = node_text(r, &seed, item->value, NULL, &text);
        if (st != ST_OK)
            return st;
        if (field_set(&seed, &spec->seeds[i], text, &cause) != ST_OK)
            return reader_fail(r, item->value->mark, NULL, "seeds", "%s", cause.text);
        sorted[i] = (struct seed_at){spec->seeds[i], i, item->value->mark};
    }
    const struct seed_at *repeated = node ? seed_repeated(sorted, count) : NULL;
    return repeated
               ? reader_fail(r, repeated->mark, NULL, "seeds", "%llu is given twice, allowed: each seed once",
                             (unsigned long long)repeated->seed)
               : ST_OK;
}

static enum status plot_block_check(struct reader *r, const struct plot_request *plot, struct mark at,
                                    const char *prefix)
{
    const struct spec *spec = r->spec;
    char guess[SUGGEST_TEXT], list[SUGGEST_LIST];
    const char **ids = arena_alloc(&r->nodes, (size_t)spec->block_count, sizeof *ids);
    if (!ids)
        return reader_no_memory(r);
    for (int i = 0; i < spec->block_count; i++) {
        ids[i] = spec->blocks[i].id;
        if (strcmp(ids[i], plot->block) == 0)
            return ST_OK;
    }
    return reader_fail(r, at, prefix, "block", "there is no block %s%s; allowed: %s", plot->block,
                       suggest_text(plot->block, ids, spec->block_count, guess),
                       suggest_list(ids, spec->block_count, "", list));
}

static enum status plot_read(struct reader *r, const struct node *node, int index)
{
    struct plot_request *plot = &r->spec->plots[r->spec->plot_count++];
    const char *kind = node_word(node, "kind");
    struct given given;
    struct err ignored = ERR_INIT;
    char prefix[64];
    if (kind && field_set(field_find(SECTION_PLOT, "kind"), plot, kind, &ignored) == ST_OK)
        snprintf(prefix, sizeof prefix, "plots.%.40s", kind);
    else
        snprintf(prefix, sizeof prefix, "plots[%d]", index);
    enum status st = section_scan(r, node, SECTION_PLOT, prefix, &given);
    if (st == ST_OK)
        st = section_assign(r, node, SECTION_PLOT, prefix, plot);
    if (st == ST_OK && plot->x)
        plot->x_mark = given_value(&given, SECTION_PLOT, "x")->mark;
    if (st == ST_OK && plot->y)
        plot->y_mark = given_value(&given, SECTION_PLOT, "y")->mark;
    return st == ST_OK && plot->block
               ? plot_block_check(r, plot, given_value(&given, SECTION_PLOT, "block")->mark, prefix)
               : st;
}

static enum status plots_read(struct reader *r, const struct node *node)
{
    struct spec *spec = r->spec;
    enum { PLOTS_MAX = 1000 };
    if (!node || (node->kind == NODE_SEQUENCE && node->count == 0))
        return ST_OK;
    enum status st = reader_expect(r, node, NODE_SEQUENCE, NULL, "plots", "a list of mappings");
    if (st == ST_OK && node->count > PLOTS_MAX)
        st = reader_fail(r, node->mark, NULL, "plots", "has %d entries, at most %d are allowed", node->count,
                         PLOTS_MAX);
    if (st != ST_OK)
        return st;
    spec->plots = arena_alloc(&spec->arena, (size_t)node->count, sizeof *spec->plots);
    if (!spec->plots)
        return reader_no_memory(r);
    for (const struct node_item *item = node->items; st == ST_OK && item; item = item->next)
        st = plot_read(r, item->value, item->index);
    return st;
}

/* `version` comes before everything else: of another version nothing more can be said. */
static enum status version_read(struct reader *r, const struct node *root)
{
    const struct field *f = field_find(SECTION_ROOT, "version");
    const struct node_item *item = root->kind == NODE_MAPPING ? root->items : NULL;
    while (item && strcmp(item->key->text, f->key) != 0)
        item = item->next;
    if (!item)
        return ST_OK; /* section_scan reports it as missing */
    int version;
    const char *text;
    struct err cause = ERR_INIT;
    enum status st = node_text(r, f, item->value, NULL, &text);
    if (st == ST_OK && field_set(f, &version, text, &cause) != ST_OK)
        st = reader_fail(r, item->value->mark, NULL, f->key, "%s", cause.text);
    return st;
}

static enum status name_read(struct reader *r, const struct node *node)
{
    const struct field *f = field_find(SECTION_ROOT, "name");
    const char *text;
    struct err cause = ERR_INIT;
    enum status st = node_text(r, f, node, NULL, &text);
    if (st != ST_OK)
        return st;
    text = arena_strdup(&r->spec->arena, text);
    if (!text)
        return reader_no_memory(r);
    return field_set(f, r->spec, text, &cause) == ST_OK
               ? ST_OK
               : reader_fail(r, node->mark, NULL, f->key, "%s", cause.text);
}

static enum status run_read(struct reader *r, const struct node *node)
{
    struct given given;
    enum status st = plain_section_read(r, node, SECTION_RUN, "run", r->spec);
    if (st != ST_OK || r->spec->run.keep != KEEP_BEST || r->spec->data.val > 0)
        return st;
    st = section_scan(r, node, SECTION_RUN, "run", &given);
    return st == ST_OK ? reader_fail(r, given_value(&given, SECTION_RUN, "keep")->mark, "run", "keep",
                                     "best needs validation images, allowed: last, all or none without "
                                     "data.val")
                       : st;
}

static enum status root_read(struct reader *r, const struct node *root)
{
    struct spec *spec = r->spec;
    struct given given;
    enum status st = version_read(r, root);
    if (st == ST_OK)
        st = section_scan(r, root, SECTION_ROOT, NULL, &given);
    if (st != ST_OK)
        return st;
    const struct node *base = given_value(&given, SECTION_ROOT, "base");
    spec->base_mark = base ? base->mark : root->mark;
    st = name_read(r, given_value(&given, SECTION_ROOT, "name"));
    if (st == ST_OK)
        st = data_read(r, given_value(&given, SECTION_ROOT, "data"));
    if (st == ST_OK)
        st = base_read(r, base);
    if (st == ST_OK)
        st = train_read(r, given_value(&given, SECTION_ROOT, "train"));
    if (st == ST_OK)
        st = blocks_read(r, given_value(&given, SECTION_ROOT, "sweep"));
    if (st == ST_OK)
        st = conditions_read(r, given_value(&given, SECTION_ROOT, "constraints"), NULL, "constraints",
                             &spec->constraints);
    if (st == ST_OK)
        st =
            conditions_read(r, given_value(&given, SECTION_ROOT, "exclude"), NULL, "exclude", &spec->exclude);
    if (st == ST_OK)
        st = seeds_read(r, given_value(&given, SECTION_ROOT, "seeds"));
    if (st == ST_OK)
        st = search_read(r, given_value(&given, SECTION_ROOT, "search"));
    if (st == ST_OK)
        st = plain_section_read(r, given_value(&given, SECTION_ROOT, "budget"), SECTION_BUDGET, "budget",
                                spec);
    if (st == ST_OK)
        st = run_read(r, given_value(&given, SECTION_ROOT, "run"));
    if (st == ST_OK)
        st = command_read(r, given_value(&given, SECTION_ROOT, "on_finish"));
    return st == ST_OK ? plots_read(r, given_value(&given, SECTION_ROOT, "plots")) : st;
}

enum status spec_parse(const char *text, size_t n, const char *path, struct spec *out, struct err *e)
{
    return spec_parse_without(text, n, path, NULL, 0, out, e);
}

static enum status cut_apply(struct reader *r, const struct node *root, struct spec_cut *cut)
{
    const struct node *value = NULL;
    const struct node_item *item = NULL;
    enum status st = ST_OK;
    if (cut->instead)
        st = node_tree_read(cut->instead, strlen(cut->instead), r->spec->path, &r->nodes, &value, r->e);
    if (st == ST_OK && cut->missing)
        return node_add(root, cut->at, cut->missing, value, &r->nodes, &cut->found) ? ST_OK
                                                                                    : reader_no_memory(r);
    cut->found = st == ST_OK && node_cut(root, cut->at, cut->whole, value, &item, &cut->from);
    if (st == ST_OK && !cut->found)
        cut->found = node_cut(root, node_scalar_before(root, cut->at), false, value, &item, &cut->from);
    snprintf(cut->key, sizeof cut->key, "%s", item && item->key ? item->key->text : "");
    return st;
}

enum status spec_parse_without(const char *text, size_t n, const char *path, struct spec_cut *cuts, int count,
                               struct spec *out, struct err *e)
{
    *out = (struct spec){.path = path, .cut = count > 0};
    arena_init(&out->arena);
    struct reader r = {.spec = out, .e = e};
    arena_init(&r.nodes);
    const struct node *root = NULL;
    enum status st = node_tree_read(text, n, path, &r.nodes, &root, e);
    for (int i = 0; st == ST_OK && i < count; i++)
        st = cut_apply(&r, root, &cuts[i]);
    if (st == ST_OK) {
        out->path = arena_strdup(&out->arena, path);
        out->text = arena_strndup(&out->arena, text, n);
        if (!out->path || !out->text)
            st = err_set(e, ST_NOMEM, "%s: out of memory", path);
    }
    if (st == ST_OK)
        st = defaults_set(out, e);
    r.scratch = out->base;
    if (st == ST_OK)
        st = root_read(&r, root);
    arena_release(&r.nodes);
    return st;
}

enum status spec_load(const char *path, struct spec *out, struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    *out = (struct spec){.path = NULL};
    arena_init(&out->arena);
    struct err cause = ERR_INIT;
    enum status st = file_read(path, SPEC_MAX_BYTES, &text, &n, &cause);
    if (st == ST_USAGE)
        return spec_error(e, path, (struct mark){1, 1}, NULL,
                          "too large, at most %d bytes are allowed for a sweep spec (YAML)", SPEC_MAX_BYTES);
    if (st != ST_OK)
        return err_set(e, st, "%s", cause.text);
    if (st == ST_OK)
        st = spec_parse(text, n, path, out, e);
    mem_free(text);
    return st;
}

void spec_release(struct spec *s)
{
    arena_release(&s->arena);
    *s = (struct spec){.path = NULL};
}

enum status spec_check_data(const struct spec *s, struct err *e)
{
    struct stat info;
    char quoted[QUOTED_TEXT];
    const char *path = text_quote(s->data.path, quoted);
    if (stat(s->data.path, &info) != 0)
        return spec_error(e, s->path, s->data_path_mark, "data.path",
                          "%s: %s; allowed: the folder of the data set", path, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return spec_error(e, s->path, s->data_path_mark, "data.path",
                          "%s is no folder, allowed: the folder of the data set", path);
    return ST_OK;
}
