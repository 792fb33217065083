#include "sweep/space.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "data/dataset.h"
#include "engine/trainer.h"
#include "sweep/spec_error.h"
#include "sweep/spec_fields.h"

/* One value of a point. */
struct choice {
    const struct field *field;
    const struct axis_value *value;
};

struct builder {
    const struct spec *spec;
    struct space *space;
    struct err *e;
    int trial_capacity;
    size_t slot_count; /* a power of two, at least twice the trials */
    int *slots;        /* hash table of trials by identity: index + 1, 0 = free */
    /* The block and its point at work: */
    int block;
    int position;
    int choice_count, set_count; /* the first set_count choices come from the block's `set` */
    struct choice choices[FIELDS_MAX];
    struct strbuf axes;
};

static enum status no_memory(const struct builder *b)
{
    err_set(b->e, ST_NOMEM, "%s: out of memory", b->spec->path);
    return ST_NOMEM;
}

/* Points of a block; more than the limit counts as limit + 1. */
static int64_t block_points(const struct block *block)
{
    int64_t points = block->list_count > 0 ? block->list_count : 1;
    if (block->zip_count > 0)
        points *= block->zip[0].count;
    for (int i = 0; i < block->grid_count && points <= SPEC_MAX_TRIALS; i++)
        points *= block->grid[i].count;
    return points <= SPEC_MAX_TRIALS ? points : SPEC_MAX_TRIALS + 1;
}

/* The number of memberships, refused before anything is built if there are too many. */
static enum status trials_count(const struct builder *b, size_t *out)
{
    int64_t total = 0;
    for (int i = 0; i < b->spec->block_count; i++) {
        const struct block *block = &b->spec->blocks[i];
        total += block_points(block) * b->spec->seed_count;
        if (total > SPEC_MAX_TRIALS)
            return spec_error(
                b->e, b->spec->path, block->mark, "sweep",
                "with block %s there are more than %d trials (points x seeds), at most %d are allowed",
                block->id, SPEC_MAX_TRIALS, SPEC_MAX_TRIALS);
    }
    *out = (size_t)total;
    return ST_OK;
}

static void choose(struct builder *b, const char *key, const struct axis_value *value)
{
    b->choices[b->choice_count++] = (struct choice){field_find(SECTION_AXIS, key), value};
}

static void choose_all(struct builder *b, const struct assignments *assignments)
{
    for (int i = 0; i < assignments->count; i++)
        choose(b, assignments->items[i].key, &assignments->items[i].value);
}

/* The choices of point number `index` of the block, 0-based. */
static void point_choose(struct builder *b, int index)
{
    const struct block *block = &b->spec->blocks[b->block];
    int at[FIELDS_MAX];
    for (int i = block->grid_count - 1; i >= 0; i--) {
        at[i] = index % block->grid[i].count;
        index /= block->grid[i].count;
    }
    b->choice_count = 0;
    choose_all(b, &block->set);
    b->set_count = b->choice_count;
    int zip_length = block->zip_count > 0 ? block->zip[0].count : 1;
    if (block->list_count > 0)
        choose_all(b, &block->list[index / zip_length]);
    for (int i = 0; i < block->zip_count; i++)
        choose(b, block->zip[i].key, &block->zip[i].values[index % zip_length]);
    for (int i = 0; i < block->grid_count; i++)
        choose(b, block->grid[i].key, &block->grid[i].values[at[i]]);
}

/* JSON of the choices that are not the block's `set`. Keys and canonical texts hold nothing to escape, and
 * what reads as a number is written as JSON writes numbers. */
static enum status axes_write(struct builder *b, const char **out)
{
    double number;
    strbuf_clear(&b->axes);
    strbuf_putc(&b->axes, '{');
    for (int i = b->set_count; i < b->choice_count; i++) {
        const char *text = b->choices[i].value->text;
        const char *quote = num_parse_double(text, &number) ? "" : "\"";
        strbuf_printf(&b->axes, "%s\"%s\":%s%s%s", i > b->set_count ? "," : "", b->choices[i].field->key,
                      quote, text, quote);
    }
    strbuf_putc(&b->axes, '}');
    *out = b->axes.failed ? NULL : arena_strdup(&b->space->arena, b->axes.text);
    return *out ? ST_OK : no_memory(b);
}

/* The base, or another preset with all that the spec's base sets, then the choices. */
static enum status point_assemble(const struct builder *b, struct point *point, struct err *cause)
{
    *point = b->spec->base;
    for (int i = 0; i < b->choice_count; i++) {
        if (b->choices[i].field->kind != FIELD_PRESET)
            continue;
        enum status st = field_set(b->choices[i].field, point, b->choices[i].value->text, cause);
        for (int k = 0; st == ST_OK && k < b->spec->base_given.count; k++) {
            const struct assignment *given = &b->spec->base_given.items[k];
            st = point_set(point, given->key, given->value.text, cause);
        }
        if (st != ST_OK)
            return st;
    }
    for (int i = 0; i < b->choice_count; i++) {
        if (b->choices[i].field->kind == FIELD_PRESET)
            continue;
        enum status st = field_set(b->choices[i].field, point, b->choices[i].value->text, cause);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

/* A metaparameter that explicit Fires make void is a mistake. */
static enum status choices_check(const struct builder *b, const struct point *point)
{
    for (int i = 0; point->design.explicit_fires && i < b->choice_count; i++) {
        const struct choice *c = &b->choices[i];
        if (field_is_metaparameter(c->field))
            return spec_error(
                b->e, b->spec->path, c->value->mark, c->field->key,
                "has no effect beside explicit `fires`, allowed: with `fires: derived` in block %s",
                b->spec->blocks[b->block].id);
    }
    return ST_OK;
}

static enum status point_check(const struct point *point, struct err *cause)
{
    struct augmentation augmentation = {
        .flip = point->recipe.flip,
        .crop_pad = point->recipe.crop_pad,
        .border = point->recipe.crop_zero ? CROP_ZERO : CROP_REFLECT,
    };
    enum status st = recipe_check(&point->recipe, cause);
    return st == ST_OK ? augmentation_check(&augmentation, point->design.macro.input, cause) : st;
}

/* Everything of a trial but its seed. */
static enum status trial_realise(const struct builder *b, struct trial *trial, const char *axes)
{
    const struct block *block = &b->spec->blocks[b->block];
    struct err cause = ERR_INIT;
    struct arch arch;
    enum status st = point_assemble(b, &trial->point, &cause);
    if (st == ST_OK && choices_check(b, &trial->point) != ST_OK)
        return ST_USAGE;
    if (st == ST_OK)
        st = point_check(&trial->point, &cause);
    if (st == ST_OK)
        st = design_derive(&trial->point.design, &trial->derived, &cause);
    if (st == ST_OK)
        st = arch_build(&trial->point.design, &arch, &cause);
    if (st != ST_OK) {
        char key[128];
        snprintf(key, sizeof key, "block %s", block->id);
        bool empty = strcmp(axes, "{}") == 0;
        return spec_error(b->e, b->spec->path, block->mark, key, "%s%s%s", empty ? "" : axes,
                          empty ? "" : ": ", cause.text);
    }
    arch_cost(&arch, &trial->cost);
    arch_hash(&arch, trial->arch_hash);
    recipe_hash(&trial->point.recipe, engine_numerics(), trial->recipe_hash);
    return ST_OK;
}

static bool constraint_holds(const struct constraint *c, const struct cost *cost)
{
    int64_t value = c->metric == CONSTRAINT_MODEL_BYTES ? cost->model_bytes
                    : c->metric == CONSTRAINT_PARAMS    ? cost->params
                                                        : cost->macs;
    double v = (double)value;
    switch (c->op) {
    case OP_LE:
        return v <= c->limit;
    case OP_LT:
        return v < c->limit;
    case OP_GE:
        return v >= c->limit;
    case OP_GT:
        return v > c->limit;
    }
    return false;
}

/* The first constraint that the cost violates, NULL if none. */
static const char *constraint_violated(const struct spec *spec, const struct cost *cost)
{
    for (int i = 0; i < spec->constraint_count; i++) {
        if (!constraint_holds(&spec->constraints[i], cost))
            return spec->constraints[i].text;
    }
    return NULL;
}

static bool trials_equal(const struct trial *a, const struct trial *b)
{
    return a->seed == b->seed && strcmp(a->arch_hash, b->arch_hash) == 0 &&
           strcmp(a->recipe_hash, b->recipe_hash) == 0;
}

static uint64_t trial_identity(const struct trial *t)
{
    char key[2 * (HASH_TEXT - 1) + sizeof t->seed];
    memcpy(key, t->arch_hash, HASH_TEXT - 1);
    memcpy(key + HASH_TEXT - 1, t->recipe_hash, HASH_TEXT - 1);
    memcpy(key + 2 * (HASH_TEXT - 1), &t->seed, sizeof t->seed);
    return hash_bytes(key, sizeof key);
}

/* The index of the trial in the space, where it is added if it is new. */
static enum status trial_intern(struct builder *b, const struct trial *trial, int *index)
{
    struct space *space = b->space;
    size_t slot = (size_t)trial_identity(trial) & (b->slot_count - 1);
    for (; b->slots[slot]; slot = (slot + 1) & (b->slot_count - 1)) {
        if (trials_equal(&space->trials[b->slots[slot] - 1], trial)) {
            *index = b->slots[slot] - 1;
            return ST_OK;
        }
    }
    if (space->trial_count == b->trial_capacity) {
        int capacity = b->trial_capacity ? 2 * b->trial_capacity : 16;
        struct trial *larger = mem_realloc(space->trials, (size_t)capacity, sizeof *larger);
        if (!larger)
            return no_memory(b);
        space->trials = larger;
        b->trial_capacity = capacity;
    }
    space->trials[space->trial_count] = *trial;
    *index = space->trial_count++;
    b->slots[slot] = space->trial_count;
    return ST_OK;
}

static enum status point_build(struct builder *b, int index)
{
    struct trial trial = {.seed = 0};
    const char *axes = "{}";
    point_choose(b, index);
    enum status st = axes_write(b, &axes);
    if (st == ST_OK)
        st = trial_realise(b, &trial, axes);
    if (st == ST_OK)
        trial.skip_reason = constraint_violated(b->spec, &trial.cost);
    for (int i = 0; st == ST_OK && i < b->spec->seed_count; i++) {
        struct membership *m = &b->space->memberships[b->space->membership_count];
        *m = (struct membership){.block = b->block, .position = b->position++, .axes = axes};
        trial.seed = b->spec->seeds[i];
        st = trial_intern(b, &trial, &m->trial);
        b->space->membership_count += st == ST_OK;
    }
    return st;
}

static enum status blocks_build(struct builder *b)
{
    size_t total = 0;
    enum status st = trials_count(b, &total);
    if (st != ST_OK)
        return st;
    for (b->slot_count = 16; b->slot_count < 2 * total;)
        b->slot_count *= 2;
    b->slots = mem_calloc(b->slot_count, sizeof *b->slots);
    b->space->memberships = arena_alloc(&b->space->arena, total, sizeof *b->space->memberships);
    if (!b->slots || !b->space->memberships)
        return no_memory(b);
    for (b->block = 0; b->block < b->spec->block_count; b->block++) {
        int points = (int)block_points(&b->spec->blocks[b->block]);
        b->position = 0;
        for (int i = 0; st == ST_OK && i < points; i++)
            st = point_build(b, i);
    }
    return st;
}

enum status space_build(const struct spec *spec, struct space *out, struct err *e)
{
    *out = (struct space){.trial_count = 0};
    arena_init(&out->arena);
    struct builder b = {.spec = spec, .space = out, .e = e, .axes = STRBUF_INIT};
    enum status st = blocks_build(&b);
    strbuf_release(&b.axes);
    mem_free(b.slots);
    return st;
}

void space_release(struct space *s)
{
    arena_release(&s->arena);
    mem_free(s->trials);
    *s = (struct space){.trial_count = 0};
}
