/* spec_extend: more epochs for trials that are done. */
#include <string.h>

#include "sweep/space.h"
#include "sweep/spec.h"
#include "sweep/spec_error.h"

static enum status refuse_key(const struct spec *s, const struct block *block, struct mark mark,
                              struct err *e)
{
    return spec_error(
        e, s->path, mark, "epochs",
        "block %s sets it, so one number for all would merge trials; to extend, change it in the "
        "spec and run that: what can go on does",
        block->id);
}

static enum status check_assignments(const struct spec *s, const struct block *block,
                                     const struct assignments *a, struct err *e)
{
    for (int i = 0; i < a->count; i++) {
        if (strcmp(a->items[i].key, "epochs") == 0) {
            return refuse_key(s, block, a->items[i].value.mark, e);
        }
    }
    return ST_OK;
}

static enum status check_axes(const struct spec *s, const struct block *block, const struct axis *axes,
                              int count, struct err *e)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(axes[i].key, "epochs") == 0) {
            return refuse_key(s, block, axes[i].mark, e);
        }
    }
    return ST_OK;
}

static enum status check_block(const struct spec *s, const struct block *block, struct err *e)
{
    enum status status = check_assignments(s, block, &block->set, e);
    if (status == ST_OK) {
        status = check_axes(s, block, block->grid, block->grid_count, e);
    }
    if (status == ST_OK) {
        status = check_axes(s, block, block->zip, block->zip_count, e);
    }
    for (int i = 0; i < block->list_count && status == ST_OK; i++) {
        status = check_assignments(s, block, &block->list[i], e);
    }
    for (int i = 0; i < block->random.count && status == ST_OK; i++) {
        status = check_axes(s, block, &block->random.params[i].axis, 1, e);
    }
    return status;
}

static enum status check_schedules(const struct spec *s, struct err *e)
{
    struct space space;
    enum status status = space_build(s, &space, e);
    for (int i = 0; i < space.trial_count && status == ST_OK; i++) {
        const char *obstacle = recipe_extension_obstacle(&space.trials[i].point.recipe);
        if (obstacle && !space.trials[i].skip_reason) {
            status =
                err_set(e, ST_USAGE,
                        "%s: a finished training cannot honestly be extended: %s; alternatives: a spec with "
                        "more epochs trains new trials from the start, and schedule: constant with warmup: 0 "
                        "can be extended later",
                        s->path, obstacle);
        }
    }
    space_release(&space);
    return status;
}

enum status spec_extend(struct spec *s, int epochs, struct err *e)
{
    enum status status = ST_OK;
    for (int i = 0; i < s->block_count && status == ST_OK; i++) {
        status = check_block(s, &s->blocks[i], e);
    }
    if (status == ST_OK && epochs <= s->base.recipe.epochs) {
        status = err_set(e, ST_USAGE, "%s: the trials have %d epochs already; allowed: more than that",
                         s->path, s->base.recipe.epochs);
    }
    if (status == ST_OK) {
        status = check_schedules(s, e);
    }
    if (status == ST_OK) {
        s->base.recipe.epochs = epochs;
    }
    return status;
}
