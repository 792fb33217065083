#include "sweep/space.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "data/dataset.h"
#include "engine/calibration.h"
#include "engine/trainer.h"
#include "sweep/conditions.h"
#include "sweep/space_internal.h"
#include "sweep/spec_error.h"

enum status space_no_memory(const struct builder *b)
{
    err_set(b->e, ST_NOMEM, "%s: out of memory", b->spec->path);
    return ST_NOMEM;
}

/* Points of a block; more than the limit counts as limit + 1. */
static int64_t block_points(const struct block *block)
{
    if (block->random.n > 0)
        return block->random.n;
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

void space_choose(struct builder *b, const char *key, const struct axis_value *value)
{
    b->choices[b->choice_count++] = (struct choice){field_find(SECTION_AXIS, key), value};
}

static void choose_all(struct builder *b, const struct assignments *assignments)
{
    for (int i = 0; i < assignments->count; i++)
        space_choose(b, assignments->items[i].key, &assignments->items[i].value);
}

void space_choose_set(struct builder *b)
{
    b->choice_count = 0;
    choose_all(b, &b->spec->blocks[b->block].set);
    b->set_count = b->choice_count;
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
    space_choose_set(b);
    int zip_length = block->zip_count > 0 ? block->zip[0].count : 1;
    if (block->list_count > 0)
        choose_all(b, &block->list[index / zip_length]);
    for (int i = 0; i < block->zip_count; i++)
        space_choose(b, block->zip[i].key, &block->zip[i].values[index % zip_length]);
    for (int i = 0; i < block->grid_count; i++)
        space_choose(b, block->grid[i].key, &block->grid[i].values[at[i]]);
}

/* Keys and canonical texts hold nothing to escape, and what reads as a number is written as JSON writes
 * numbers. */
enum status space_axes(struct builder *b, const char **out)
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
    return *out ? ST_OK : space_no_memory(b);
}

enum status space_assemble(const struct builder *b, struct point *point, struct err *cause)
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
static enum status choices_check(const struct builder *b, const struct point *point, struct err *cause)
{
    for (int i = 0; point->design.explicit_fires && i < b->choice_count; i++) {
        struct place place;
        if (!field_is_metaparameter(b->choices[i].field))
            continue;
        space_place_axis(b, i, &place);
        return spec_error(cause, b->spec->path, place.at, place.key,
                          "has no effect beside explicit `fires`, allowed: with `fires: derived`");
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

/* Predicted time on the threads that the spec asks for; NaN when not known. */
static double time_of(const struct builder *b, const struct arch *arch, const struct recipe *recipe)
{
    struct workload work;
    if (!b->wants_time || workload_init(&work, arch, recipe, NULL) != ST_OK)
        return NAN;
    const int threads = b->spec->run.threads > 0 ? b->spec->run.threads : 1;
    return forecast_work_s(&b->speed, &work, recipe->epochs, threads, &b->images);
}

/* Everything of a trial but its seed. */
enum status space_realise(const struct builder *b, struct trial *trial, bool *placed, struct err *cause)
{
    struct arch arch;
    enum status st = space_assemble(b, &trial->point, cause);
    if (st == ST_OK) {
        st = choices_check(b, &trial->point, cause);
        *placed = st != ST_OK;
    }
    if (st == ST_OK)
        st = point_check(&trial->point, cause);
    if (st == ST_OK)
        st = design_derive(&trial->point.design, &trial->derived, cause);
    if (st == ST_OK)
        st = arch_build(&trial->point.design, &arch, cause);
    if (st != ST_OK)
        return st;
    arch_cost(&arch, &trial->cost);
    arch_hash(&arch, trial->arch_hash);
    recipe_hash(&trial->point.recipe, engine_numerics(), trial->recipe_hash);
    trial->min_channels = conditions_min_channels(&arch);
    trial->train_s = time_of(b, &arch, &trial->point.recipe);
    return ST_OK;
}

static enum status trial_realise(struct builder *b, struct trial *trial)
{
    struct err cause = ERR_INIT;
    bool placed = false;
    const enum status st = space_realise(b, trial, &placed, &cause);
    if (st == ST_OK)
        return ST_OK;
    return placed || st == ST_NOMEM ? err_set(b->e, st, "%s", cause.text) : space_blame(b, &cause, b->e);
}

enum status space_holds(struct builder *b, const struct condition *c, const char *key,
                        const struct measures *measures, bool *holds)
{
    struct expression_fault fault = {.what = NULL};
    const char *axes = "{}";
    *holds = expression_holds(c->holds, conditions_lookup, measures, &fault);
    if (!fault.what)
        return ST_OK;
    const enum status st = space_axes(b, &axes);
    if (st != ST_OK)
        return st;
    return spec_error(b->e, b->spec->path, conditions_mark(b->spec->text, c->mark, fault.at), key,
                      "\"%.*s\" %s at the point %s of block %s, allowed: conditions with an answer for every "
                      "point, such as `incr_e = 0 or ...` before a quotient by incr_e",
                      (int)(fault.length < 60 ? fault.length : 60), c->text + fault.at, fault.what, axes,
                      b->spec->blocks[b->block].id);
}

/* What a rule stands under: "constraints", "exclude" or "sweep.a.exclude". */
static void rule_key(const struct spec *spec, int block, int rule, char *out, size_t n)
{
    const int constraints = spec->constraints.count, exclude = constraints + spec->exclude.count;
    if (rule < exclude)
        snprintf(out, n, "%s", rule < constraints ? "constraints" : "exclude");
    else
        snprintf(out, n, "sweep.%s.exclude", spec->blocks[block].id);
}

enum status space_violated(struct builder *b, const struct trial *trial, int *violated)
{
    const struct measures measures = {.point = &trial->point,
                                      .cost = &trial->cost,
                                      .derived = &trial->derived,
                                      .min_channels = trial->min_channels,
                                      .train_s = trial->train_s};
    const struct condition *rule;
    *violated = -1;
    for (int i = 0; (rule = space_rule(b->spec, b->block, i)) != NULL; i++) {
        const bool wanted = i < b->spec->constraints.count;
        bool holds;
        char key[192];
        rule_key(b->spec, b->block, i, key, sizeof key);
        enum status st = space_holds(b, rule, key, &measures, &holds);
        if (st != ST_OK)
            return st;
        if (holds != wanted) {
            *violated = i;
            break;
        }
    }
    return ST_OK;
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

/* The slot of an equal trial, or the free one where it belongs. */
static size_t slot_of(const struct builder *b, const struct trial *trial)
{
    size_t slot = (size_t)trial_identity(trial) & (b->slot_count - 1);
    while (b->slots[slot] && !trials_equal(&b->space->trials[b->slots[slot] - 1], trial))
        slot = (slot + 1) & (b->slot_count - 1);
    return slot;
}

int space_find(const struct builder *b, const struct trial *trial)
{
    return b->slots[slot_of(b, trial)] - 1;
}

/* The index of the trial in the space, where it is added if it is new. What one block excludes another one
 * may still want. */
static enum status trial_intern(struct builder *b, const struct trial *trial, int *index)
{
    struct space *space = b->space;
    const size_t slot = slot_of(b, trial);
    if (b->slots[slot]) {
        *index = b->slots[slot] - 1;
        if (!trial->skip_reason && space->trials[*index].skip_reason)
            space->trials[*index] = *trial; /* by the name that nothing excludes */
        return ST_OK;
    }
    if (space->trial_count == b->trial_capacity) {
        int capacity = b->trial_capacity ? 2 * b->trial_capacity : 16;
        struct trial *larger = mem_realloc(space->trials, (size_t)capacity, sizeof *larger);
        if (!larger)
            return space_no_memory(b);
        space->trials = larger;
        b->trial_capacity = capacity;
    }
    space->trials[space->trial_count] = *trial;
    *index = space->trial_count++;
    b->slots[slot] = space->trial_count;
    return ST_OK;
}

enum status space_add(struct builder *b, struct trial *trial)
{
    const char *axes = "{}";
    enum status st = space_axes(b, &axes);
    struct design *design = arena_alloc(&b->space->arena, 1, sizeof *design);
    if (!design)
        return space_no_memory(b);
    *design = trial->point.design;
    for (int i = 0; st == ST_OK && i < b->spec->seed_count; i++) {
        struct membership *m = &b->space->memberships[b->space->membership_count];
        *m = (struct membership){.block = b->block,
                                 .position = b->position++,
                                 .axes = axes,
                                 .design = design,
                                 .skip_reason = trial->skip_reason};
        trial->seed = b->spec->seeds[i];
        st = trial_intern(b, trial, &m->trial);
        if (st == ST_OK) {
            b->space->membership_count++;
            b->claimed[m->trial] = b->block + 1;
        }
    }
    return st;
}

/* A point of grid, zip and list. */
static enum status point_build(struct builder *b, int index)
{
    struct trial trial = {.seed = 0};
    point_choose(b, index);
    enum status st = trial_realise(b, &trial);
    if (st != ST_OK)
        return st;
    int violated;
    st = space_violated(b, &trial, &violated);
    if (st != ST_OK)
        return st;
    trial.skip_reason = violated < 0 ? NULL : space_rule(b->spec, b->block, violated)->reason;
    return space_add(b, &trial);
}

static enum status block_build(struct builder *b)
{
    const struct block *block = &b->spec->blocks[b->block];
    enum status st = ST_OK;
    b->position = 0;
    if (block->random.n > 0)
        return space_random(b);
    const int points = (int)block_points(block);
    for (int i = 0; st == ST_OK && i < points; i++)
        st = point_build(b, i);
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
    b->claimed = mem_calloc(total + 1, sizeof *b->claimed);
    b->space->memberships = arena_alloc(&b->space->arena, total, sizeof *b->space->memberships);
    b->space->samplings =
        arena_alloc(&b->space->arena, (size_t)b->spec->block_count, sizeof *b->space->samplings);
    if (!b->slots || !b->claimed || !b->space->memberships || !b->space->samplings)
        return space_no_memory(b);
    for (b->block = 0; st == ST_OK && b->block < b->spec->block_count; b->block++)
        st = block_build(b);
    return st;
}

/* The first condition that speaks of train_s, NULL if none does; `key`: what it stands under. */
static const struct condition *time_condition(const struct spec *spec, char *key, size_t n)
{
    const int name = conditions_name("train_s");
    for (int block = 0; block < spec->block_count; block++) {
        const struct condition *rule;
        for (int i = 0; (rule = space_rule(spec, block, i)) != NULL; i++) {
            if (expression_uses(rule->holds, name)) {
                rule_key(spec, block, i, key, n);
                return rule;
            }
        }
    }
    return NULL;
}

/* Predictions need this machine's speed and the number of images; without them a condition on time would
 * mean nothing. */
static enum status time_prepare(struct builder *b)
{
    char key[192];
    const struct condition *c = time_condition(b->spec, key, sizeof key);
    if (!c)
        return ST_OK;
    if (!calibration_here(&b->speed))
        return spec_error(
            b->e, b->spec->path, c->mark, key,
            "train_s, the predicted time of a trial, needs the speed of this machine, which is not "
            "known, allowed: after firesweep plan --calibrate");
    b->images = image_counts_of(&b->spec->data);
    if (b->images.train < 0)
        return spec_error(
            b->e, b->spec->path, c->mark, key,
            "train_s, the predicted time of a trial, needs the number of images, which is not known, "
            "allowed: with the data in place or data.train_images set");
    b->wants_time = true;
    return ST_OK;
}

enum status space_build(const struct spec *spec, struct space *out, struct err *e)
{
    *out = (struct space){.trial_count = 0};
    arena_init(&out->arena);
    struct builder b = {.spec = spec, .space = out, .e = e, .axes = STRBUF_INIT};
    enum status st = time_prepare(&b);
    if (st == ST_OK)
        st = blocks_build(&b);
    out->named_count = out->trial_count;
    if (st == ST_OK && spec->search.on)
        st = space_search(&b);
    strbuf_release(&b.axes);
    mem_free(b.claimed);
    mem_free(b.slots);
    return st;
}

void space_release(struct space *s)
{
    arena_release(&s->arena);
    mem_free(s->trials);
    *s = (struct space){.trial_count = 0};
}

/* The condition that a trial names as the reason of its exclusion. */
static const struct condition *rule_of(const struct spec *spec, const struct trial *t)
{
    for (int block = 0; block < spec->block_count; block++) {
        const struct condition *rule;
        for (int i = 0; (rule = space_rule(spec, block, i)) != NULL; i++)
            if (rule->reason == t->skip_reason)
                return rule;
    }
    return NULL;
}

enum status space_check_trains(const struct spec *spec, const struct space *space, struct err *e)
{
    for (int i = 0; i < space->trial_count; i++)
        if (!space->trials[i].skip_reason)
            return ST_OK;
    const struct condition *first = space->trial_count > 0 ? rule_of(spec, &space->trials[0]) : NULL;
    const struct mark at = first ? first->mark : spec->base_mark;
    const char *reason = first ? first->reason : "";
    if (space->named_count == 1)
        return err_set(
            e, ST_USAGE,
            "%s:%d:%d: constraints or exclude leave out the only trial, by \"%s\": nothing to train",
            spec->path, at.line, at.column, reason);
    return err_set(
        e, ST_USAGE,
        "%s:%d:%d: constraints or exclude leave out all %d trials, the first by \"%s\": nothing to "
        "train; `firesweep plan --only skipped` lists them",
        spec->path, at.line, at.column, space->named_count, reason);
}
