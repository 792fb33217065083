/* The blocks of a sweep: set, grid, zip, list. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "sweep/spec_error.h"
#include "sweep/spec_read.h"

/* A block that is being read. */
struct block_reader {
    struct reader *r;
    struct block *block;
    char prefix[160];             /* "sweep.ID", or "sweep[2]" where it has no id of its own */
    const char *part[FIELDS_MAX]; /* the part of the block that sets a key, by field_index; NULL: none yet */
};

/* A key may be set by one part of a block only. Rows of `list` may of course repeat each other's. */
static enum status key_claim(struct block_reader *b, const struct field *f, struct mark at,
                             const char *prefix, const char *part)
{
    const char **owner = &b->part[field_index(f)];
    if (*owner && strcmp(*owner, part) != 0)
        return reader_fail(b->r, at, prefix, f->key,
                           "is also in `%s`, allowed: in one of set, grid, zip, list and params", *owner);
    *owner = part;
    return ST_OK;
}

/* A mapping of keys to one value each: `set` and the rows of `list`. */
static enum status assignments_read(struct block_reader *b, const struct node *node, const char *part,
                                    struct assignments *out)
{
    struct given given;
    char prefix[192];
    snprintf(prefix, sizeof prefix, "%s.%s", b->prefix, part);
    enum status st = section_scan(b->r, node, SECTION_AXIS, prefix, &given);
    if (st != ST_OK)
        return st;
    out->items = arena_alloc(&b->r->spec->arena, (size_t)node->count, sizeof *out->items);
    if (!out->items)
        return reader_no_memory(b->r);
    for (const struct node_item *item = node->items; st == ST_OK && item; item = item->next) {
        const struct field *f = field_find(SECTION_AXIS, item->key->text);
        struct assignment *a = &out->items[out->count++];
        a->key = f->key;
        st = key_claim(b, f, item->key->mark, prefix, part);
        if (st == ST_OK)
            st = axis_value_read(b->r, f, item->value, prefix, &a->value);
    }
    return st;
}

int decimals_of(const char *text)
{
    const char *point = strchr(text, '.'), *exponent = strpbrk(text, "eE");
    size_t fraction = point ? strspn(point + 1, "0123456789") : 0;
    int64_t power = 0;
    if (fraction > 15 || (exponent && !num_parse_int(exponent + 1, &power)) || power < -15 || power > 15)
        return -1;
    int decimals = (int)fraction - (int)power;
    return decimals < 0 ? 0 : decimals > 15 ? -1 : decimals;
}

double range_steps(const struct range *range)
{
    const double steps = (range->to - range->from) / range->step;
    return floor(steps + 1e-9 * (1 + steps));
}

double range_value(const struct range *range, double k)
{
    double value = range->from + k * range->step;
    double scale = pow(10, range->decimals);
    double scaled = value * scale;
    bool exact =
        range->decimals >= 0 && fabs(scaled) < 0x1p53; /* whole number and scale are then exact doubles */
    return exact ? round(scaled) / scale : value;
}

/* Reads {from, to, step}; *count is the number of values. */
static enum status range_read(struct block_reader *b, const struct node *node, const char *prefix,
                              struct range *range, int *count)
{
    struct given given;
    double *const target[] = {&range->from, &range->to, &range->step};
    static const char *const keys[] = {"from", "to", "step"};
    enum status st = section_scan(b->r, node, SECTION_RANGE, prefix, &given);
    range->decimals = 0;
    for (int i = 0; st == ST_OK && i < 3; i++) {
        const struct field *f = field_find(SECTION_RANGE, keys[i]);
        const struct node *value = given.value[field_index(f)];
        const char *text;
        struct err cause = ERR_INIT;
        st = node_text(b->r, f, value, prefix, &text);
        if (st == ST_OK && field_set(f, target[i], text, &cause) != ST_OK)
            st = reader_fail(b->r, value->mark, prefix, keys[i], "%s", cause.text);
        if (st == ST_OK && i != 1) {
            int decimals = decimals_of(text);
            range->decimals = decimals < 0 || range->decimals < 0 ? -1
                              : decimals > range->decimals        ? decimals
                                                                  : range->decimals;
        }
    }
    if (st != ST_OK)
        return st;
    struct mark at = given_value(&given, SECTION_RANGE, "step")->mark;
    double steps = (range->to - range->from) / range->step;
    if (range->step == 0)
        return reader_fail(b->r, at, prefix, "step", "is 0, allowed: a number %s 0",
                           range->to < range->from ? "below" : "above");
    if (steps < 0)
        return reader_fail(b->r, at, prefix, "step", "%g leads away from `to`: from %g to %g, allowed: %s",
                           range->step, range->from, range->to,
                           range->to < range->from ? "a number below 0" : "a number above 0");
    if (!(steps < SPEC_MAX_EXPANSION))
        return reader_fail(b->r, at, prefix, "step", "gives too many values, at most %d are allowed",
                           SPEC_MAX_EXPANSION);
    *count = (int)range_steps(range) + 1;
    b->r->range_values += *count;
    if (b->r->range_values > SPEC_MAX_TRIALS)
        return reader_fail(b->r, at, prefix, "step",
                           "gives more than %d values with the other ranges of this file", SPEC_MAX_TRIALS);
    return ST_OK;
}

static enum status axis_range_read(struct block_reader *b, const struct field *f, const struct node *node,
                                   const char *prefix, struct axis *axis)
{
    struct range range;
    char text[32], range_prefix[256];
    if (f->kind != FIELD_INT && f->kind != FIELD_REAL)
        return reader_fail(b->r, node->mark, prefix, f->key,
                           "a range needs a key that takes numbers, allowed: a list");
    snprintf(range_prefix, sizeof range_prefix, "%s.%s", prefix, f->key);
    enum status st = range_read(b, node, range_prefix, &range, &axis->count);
    if (st != ST_OK)
        return st;
    axis->values = arena_alloc(&b->r->spec->arena, (size_t)axis->count, sizeof *axis->values);
    if (!axis->values)
        return reader_no_memory(b->r);
    for (int k = 0; st == ST_OK && k < axis->count; k++)
        st = axis_value_set(b->r, f, num_format_double(range_value(&range, k), text), node->mark, prefix,
                            &axis->values[k]);
    return st;
}

static enum status axis_read(struct block_reader *b, const struct field *f, const struct node_item *item,
                             const char *prefix, struct axis *axis)
{
    const struct node *node = item->value;
    axis->key = f->key;
    axis->mark = item->key->mark;
    if (node->kind == NODE_MAPPING)
        return axis_range_read(b, f, node, prefix, axis);
    enum status st = reader_expect(b->r, node, NODE_SEQUENCE, prefix, f->key,
                                   "a list of values or a range {from, to, step}");
    if (st != ST_OK)
        return st;
    axis->left_out = node->cut;
    axis->values = arena_alloc(&b->r->spec->arena, (size_t)node->count, sizeof *axis->values);
    if (!axis->values)
        return reader_no_memory(b->r);
    for (const struct node_item *value = node->items; st == ST_OK && value; value = value->next)
        st = axis_value_read(b->r, f, value->value, prefix, &axis->values[axis->count++]);
    return st;
}

/* A mapping of keys to lists or ranges: `grid` and `zip`. */
static enum status axes_read(struct block_reader *b, const struct node *node, const char *part, int *count,
                             struct axis **axes)
{
    struct given given;
    char prefix[192];
    snprintf(prefix, sizeof prefix, "%s.%s", b->prefix, part);
    enum status st = section_scan(b->r, node, SECTION_AXIS, prefix, &given);
    if (st != ST_OK)
        return st;
    *axes = arena_alloc(&b->r->spec->arena, (size_t)node->count, sizeof **axes);
    if (!*axes)
        return reader_no_memory(b->r);
    for (const struct node_item *item = node->items; st == ST_OK && item; item = item->next) {
        const struct field *f = field_find(SECTION_AXIS, item->key->text);
        st = key_claim(b, f, item->key->mark, prefix, part);
        if (st == ST_OK)
            st = axis_read(b, f, item, prefix, &(*axes)[(*count)++]);
    }
    return st;
}

/* Lengths are those of the file. Axes of which values were left out are then as long as the shortest. */
static enum status zip_check(const struct block_reader *b)
{
    struct axis *zip = b->block->zip;
    int least = b->block->zip_count > 0 ? zip[0].count : 0;
    char prefix[192];
    snprintf(prefix, sizeof prefix, "%s.zip", b->prefix);
    for (int i = 1; i < b->block->zip_count; i++) {
        const int length = zip[i].count + zip[i].left_out, first = zip[0].count + zip[0].left_out;
        if (length != first)
            return reader_fail(b->r, zip[i].mark, prefix, zip[i].key,
                               "has %d value%s but %s has %d, allowed: equal lengths", length,
                               length == 1 ? "" : "s", zip[0].key, first);
        least = zip[i].count < least ? zip[i].count : least;
    }
    for (int i = 0; i < b->block->zip_count; i++)
        zip[i].count = least;
    return ST_OK;
}

static enum status list_read(struct block_reader *b, const struct node *node)
{
    enum status st = reader_expect(b->r, node, NODE_SEQUENCE, b->prefix, "list", "a list of mappings");
    if (st != ST_OK)
        return st;
    b->block->list = arena_alloc(&b->r->spec->arena, (size_t)node->count, sizeof *b->block->list);
    if (!b->block->list)
        return reader_no_memory(b->r);
    for (const struct node_item *row = node->items; st == ST_OK && row; row = row->next)
        st = assignments_read(b, row->value, "list", &b->block->list[b->block->list_count++]);
    return st;
}

static enum status id_read(struct block_reader *b, const struct node *node)
{
    const struct field *f = field_find(SECTION_BLOCK, "id");
    const struct spec *spec = b->r->spec;
    const char *text;
    struct err cause = ERR_INIT;
    enum status st = node_text(b->r, f, node, b->prefix, &text);
    if (st != ST_OK)
        return st;
    if (field_set(f, &b->block->id, text, &cause) != ST_OK)
        return reader_fail(b->r, node->mark, b->prefix, "id", "%s", cause.text);
    for (const struct block *other = spec->blocks; other < b->block; other++) {
        if (strcmp(other->id, text) == 0)
            return reader_fail(b->r, node->mark, b->prefix, "id",
                               "%s is also the id of the block in line %d, allowed: a name of its own", text,
                               other->mark.line);
    }
    b->block->id = arena_strdup(&b->r->spec->arena, text);
    if (!b->block->id)
        return reader_no_memory(b->r);
    return ST_OK;
}

/* What messages call the block: by its id, if that can be one and no block before has it. */
static void prefix_find(struct block_reader *b, const struct node *node, int index)
{
    const char *id = node_word(node, "id");
    struct err ignored = ERR_INIT;
    bool own =
        id && field_set(field_find(SECTION_BLOCK, "id"), &(struct block){.id = NULL}, id, &ignored) == ST_OK;
    for (const struct block *other = b->r->spec->blocks; own && other < b->block; other++)
        own = strcmp(other->id, id) != 0;
    if (own)
        snprintf(b->prefix, sizeof b->prefix, "sweep.%s", id);
    else
        snprintf(b->prefix, sizeof b->prefix, "sweep[%d]", index);
}

/* Names that other tools have for what is a part of `random` here. */
static enum status kinds_refuse(const struct block_reader *b, const struct node *node)
{
    static const char *const kinds[] = {"sobol", "lhs"};
    for (const struct node_item *item = node->kind == NODE_MAPPING ? node->items : NULL; item;
         item = item->next) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            if (strcmp(item->key->text, kinds[i]) == 0)
                return reader_fail(b->r, item->key->mark, b->prefix, kinds[i],
                                   "there is no such block kind, allowed: random: {n: 64, sampler: %s}",
                                   kinds[i]);
        }
    }
    return ST_OK;
}

/* What `random` draws may not stand elsewhere in the block, and a random block has no other points. */
static enum status random_check(struct block_reader *b, const struct given *given)
{
    static const char *const others[] = {"grid", "zip", "list"};
    char prefix[192];
    snprintf(prefix, sizeof prefix, "%s.params", b->prefix);
    for (int i = 0; i < 3; i++) {
        const struct field *f = field_find(SECTION_BLOCK, others[i]);
        if (given->key[field_index(f)])
            return reader_fail(b->r, given->key[field_index(f)]->mark, b->prefix, f->key,
                               "does not go with `random`, allowed: a block of its own");
    }
    for (int i = 0; i < b->block->random.count; i++) {
        const struct axis *axis = &b->block->random.params[i].axis;
        enum status st = key_claim(b, field_find(SECTION_AXIS, axis->key), axis->mark, prefix, "params");
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

static enum status block_read(struct reader *r, const struct node *node, int index)
{
    struct block_reader b = {.r = r, .block = &r->spec->blocks[r->spec->block_count++]};
    struct given given;
    prefix_find(&b, node, index);
    b.block->mark = node->mark;
    enum status st = kinds_refuse(&b, node);
    if (st == ST_OK)
        st = section_scan(r, node, SECTION_BLOCK, b.prefix, &given);
    if (st == ST_OK)
        st = id_read(&b, given_value(&given, SECTION_BLOCK, "id"));
    if (st != ST_OK)
        return st;
    const struct node *set = given_value(&given, SECTION_BLOCK, "set");
    const struct node *grid = given_value(&given, SECTION_BLOCK, "grid");
    const struct node *zip = given_value(&given, SECTION_BLOCK, "zip");
    const struct node *list = given_value(&given, SECTION_BLOCK, "list");
    if (set)
        st = assignments_read(&b, set, "set", &b.block->set);
    if (st == ST_OK && grid)
        st = axes_read(&b, grid, "grid", &b.block->grid_count, &b.block->grid);
    if (st == ST_OK && zip)
        st = axes_read(&b, zip, "zip", &b.block->zip_count, &b.block->zip);
    if (st == ST_OK)
        st = zip_check(&b);
    if (st == ST_OK && list)
        st = list_read(&b, list);
    if (st == ST_OK)
        st = random_read(r, given_value(&given, SECTION_BLOCK, "random"),
                         given_value(&given, SECTION_BLOCK, "params"), b.prefix, b.block);
    if (st == ST_OK && b.block->random.n > 0)
        st = random_check(&b, &given);
    return st == ST_OK ? conditions_read(r, given_value(&given, SECTION_BLOCK, "exclude"), b.prefix,
                                         "exclude", &b.block->exclude)
                       : st;
}

enum status blocks_read(struct reader *r, const struct node *node)
{
    struct spec *spec = r->spec;
    if (node) {
        enum status st = reader_expect(r, node, NODE_SEQUENCE, NULL, "sweep", "a list of blocks");
        if (st != ST_OK)
            return st;
    }
    int count = node ? node->count : 1;
    if (count > SPEC_MAX_BLOCKS)
        return reader_fail(r, node->mark, NULL, "sweep", "has %d blocks, at most %d are allowed", count,
                           SPEC_MAX_BLOCKS);
    spec->blocks = arena_alloc(&spec->arena, (size_t)count, sizeof *spec->blocks);
    if (!spec->blocks)
        return reader_no_memory(r);
    if (!node) {
        spec->blocks[0] = (struct block){.id = "base", .mark = spec->base_mark};
        spec->block_count = 1;
    }
    for (const struct node_item *item = node ? node->items : NULL; item; item = item->next) {
        enum status st = block_read(r, item->value, item->index);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}
