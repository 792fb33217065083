/* Where a spec says what is wrong with a point. */
#include <stdio.h>
#include <string.h>

#include "sweep/space_internal.h"
#include "sweep/spec_error.h"

static const struct axis *axis_find(const struct axis *axes, int count, const char *key)
{
    for (int i = 0; i < count; i++)
        if (strcmp(axes[i].key, key) == 0)
            return &axes[i];
    return NULL;
}

/* A value of this text; `text` NULL: any. */
static const struct axis_value *assigned(const struct assignments *a, const char *key, const char *text)
{
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->items[i].key, key) == 0 && (!text || strcmp(a->items[i].value.text, text) == 0))
            return &a->items[i].value;
    return NULL;
}

/* The part of a block that sets a key, which is one alone. */
static const char *part_of(const struct block *block, const char *key)
{
    return assigned(&block->set, key, NULL)                 ? "set"
           : block->random.n > 0                            ? "params"
           : axis_find(block->grid, block->grid_count, key) ? "grid"
           : axis_find(block->zip, block->zip_count, key)   ? "zip"
                                                            : "list";
}

static void put(const struct block *block, const char *key, struct mark at, struct place *out)
{
    out->at = at;
    snprintf(out->key, sizeof out->key, "sweep.%s.%s.%s", block->id, part_of(block, key), key);
}

void space_place_axis(const struct builder *b, int choice, struct place *out)
{
    const struct block *block = &b->spec->blocks[b->block];
    const struct choice *c = &b->choices[choice];
    const struct axis *grid = axis_find(block->grid, block->grid_count, c->field->key),
                      *zip = axis_find(block->zip, block->zip_count, c->field->key);
    put(block, c->field->key, grid ? grid->mark : zip ? zip->mark : c->value->mark, out);
}

static bool axis_value_find(const struct axis *a, const char *text, struct mark *at)
{
    for (int i = 0; a && i < a->count; i++) {
        if (strcmp(a->values[i].text, text) == 0) {
            *at = a->values[i].mark;
            return true;
        }
    }
    return false;
}

/* Where a block gives a key this value; every value is possible where numbers are drawn. */
static bool block_value_find(const struct block *block, const char *key, const char *text, struct mark *at)
{
    const struct axis_value *value = assigned(&block->set, key, text);
    for (int i = 0; !value && i < block->list_count; i++)
        value = assigned(&block->list[i], key, text);
    if (value)
        *at = value->mark;
    bool found = value || axis_value_find(axis_find(block->zip, block->zip_count, key), text, at) ||
                 axis_value_find(axis_find(block->grid, block->grid_count, key), text, at);
    for (int i = 0; !found && i < block->random.count; i++) {
        const struct parameter *p = &block->random.params[i];
        if (strcmp(p->axis.key, key) != 0)
            continue;
        found = p->distribution != DRAW_CHOICE || axis_value_find(&p->axis, text, at);
        if (p->distribution != DRAW_CHOICE)
            *at = p->range;
    }
    return found;
}

/* What base and train give, in the order in which it makes the base point: number i; NULL behind the last. */
static const struct assignment *given_at(const struct spec *spec, int i)
{
    i -= spec->preset_given.key != NULL;
    if (i < 0)
        return &spec->preset_given;
    if (i < spec->base_given.count)
        return &spec->base_given.items[i];
    i -= spec->base_given.count;
    return i < spec->train_given.count ? &spec->train_given.items[i] : NULL;
}

static void put_given(const struct spec *spec, const struct assignment *given, struct place *out)
{
    const struct mark at = given->value.mark, data = spec->data_shape_mark;
    const bool of_data = at.line == data.line && at.column == data.column;
    out->at = at;
    if (of_data)
        snprintf(out->key, sizeof out->key, "data.%s", spec->data.resize_h > 0 ? "resize" : "format");
    else
        snprintf(out->key, sizeof out->key, "%s.%s", field_find(SECTION_BASE, given->key) ? "base" : "train",
                 given->key);
}

/* Nothing in the spec gives a key of train. */
static void put_default(const char *key, struct place *out)
{
    out->at = (struct mark){1, 1};
    snprintf(out->key, sizeof out->key, "train.%s", key);
}

void space_place_value(const struct spec *spec, int block, const struct field *f, const struct point *point,
                       struct place *out)
{
    const struct block *in = block >= 0 ? &spec->blocks[block] : NULL;
    const struct field *preset = field_find(SECTION_BASE, "preset");
    const struct assignment *last = NULL;
    char text[POINT_TEXT], name[POINT_TEXT];
    struct mark at;
    field_get(f, point, text);
    field_get(preset, point, name);
    for (int i = 0; given_at(spec, i); i++)
        if (strcmp(given_at(spec, i)->key, f->key) == 0)
            last = given_at(spec, i);
    if (in && block_value_find(in, f->key, text, &at))
        put(in, f->key, at, out);
    else if (last)
        put_given(spec, last, out);
    else if (f->section == SECTION_TRAIN)
        put_default(f->key, out);
    else if (in && block_value_find(in, preset->key, name, &at))
        put(in, preset->key, at, out);
    else if (spec->preset_given.key)
        put_given(spec, &spec->preset_given, out);
    else
        *out = (struct place){spec->base_mark, "base"};
}

static bool is_buildable(const struct builder *b)
{
    struct trial trial = {.seed = 0};
    struct err ignored = ERR_INIT;
    bool placed;
    return space_realise(b, &trial, &placed, &ignored) == ST_OK;
}

/* The base point from the first `count` values that base and train give. */
static enum status base_assemble(const struct spec *spec, int count, struct point *out, struct err *e)
{
    enum status st = point_init(out, e);
    for (int i = 0; st == ST_OK && i < count; i++)
        st = point_set(out, given_at(spec, i)->key, given_at(spec, i)->value.text, e);
    return st;
}

/* The value of base or train with which the base can no longer be built; NULL: none of them. */
static const struct assignment *base_culprit(const struct builder *b)
{
    struct spec spec = *b->spec;
    struct builder part = *b;
    struct err ignored = ERR_INIT;
    int count = 0;
    while (given_at(b->spec, count))
        count++;
    part.spec = &spec;
    part.choice_count = 0;
    while (count-- > 0)
        if (base_assemble(b->spec, count, &spec.base, &ignored) == ST_OK && is_buildable(&part))
            return given_at(b->spec, count);
    return NULL;
}

/* The choice with which the point can no longer be built; -1: the base cannot either. */
static int choice_culprit(const struct builder *b)
{
    struct builder part = *b;
    while (part.choice_count-- > 0)
        if (is_buildable(&part))
            return part.choice_count;
    return -1;
}

/* "crop_pad: 40 is ..." under the key crop_pad: without the key. */
static const char *without_key(const char *cause, const char *key)
{
    const size_t n = strlen(key);
    return strncmp(cause, key, n) == 0 && strncmp(cause + n, ": ", 2) == 0 ? cause + n + 2 : cause;
}

enum status space_blame(struct builder *b, const struct err *cause, struct err *e)
{
    const struct block *block = &b->spec->blocks[b->block];
    const int choice = choice_culprit(b);
    const struct assignment *given = choice < 0 ? base_culprit(b) : NULL;
    struct place place = {block->mark, ""};
    const char *key = given ? given->key : choice >= 0 ? b->choices[choice].field->key : "", *axes = NULL;
    if (given)
        put_given(b->spec, given, &place);
    else if (choice >= 0)
        put(block, key, b->choices[choice].value->mark, &place);
    else
        snprintf(place.key, sizeof place.key, "block %s", block->id);
    /* Other axes may have their part in it, and of what is drawn the spec shows no value. */
    const bool together =
        choice >= b->set_count && (b->choice_count - b->set_count > 1 || block->random.n > 0);
    if (together && space_axes(b, &axes) != ST_OK)
        return ST_NOMEM;
    return spec_error(e, b->spec->path, place.at, place.key, "%s%s%s%s", without_key(cause->text, key),
                      together ? " (at the point " : "", together ? axes : "", together ? ")" : "");
}
