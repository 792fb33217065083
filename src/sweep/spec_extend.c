/* spec_extend: more epochs for trials that are done. */
#include <string.h>

#include "sweep/space.h"
#include "sweep/spec.h"
#include "sweep/spec_epochs.h"
#include "sweep/spec_error.h"

static bool assignments_set(const struct assignments *a, struct mark *mark)
{
    for (int i = 0; i < a->count; i++) {
        if (strcmp(a->items[i].key, "epochs") == 0) {
            *mark = a->items[i].value.mark;
            return true;
        }
    }
    return false;
}

static bool axes_set(const struct axis *axes, int count, struct mark *mark)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(axes[i].key, "epochs") == 0) {
            *mark = axes[i].mark;
            return true;
        }
    }
    return false;
}

static bool block_sets(const struct block *block, struct mark *mark)
{
    bool found = assignments_set(&block->set, mark) || axes_set(block->grid, block->grid_count, mark) ||
                 axes_set(block->zip, block->zip_count, mark);
    for (int i = 0; i < block->list_count && !found; i++)
        found = assignments_set(&block->list[i], mark);
    for (int i = 0; i < block->random.count && !found; i++)
        found = axes_set(&block->random.params[i].axis, 1, mark);
    return found;
}

bool spec_sets_epochs(const struct spec *s, const struct block **block, struct mark *mark)
{
    for (int i = 0; i < s->block_count; i++) {
        if (block_sets(&s->blocks[i], mark)) {
            *block = &s->blocks[i];
            return true;
        }
    }
    return false;
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
    const struct block *block = NULL;
    struct mark mark;
    enum status status = ST_OK;
    if (s->search.on) {
        status = spec_error(e, s->path, s->search.mark, "search",
                            "its rungs are trainings of their own length, so there is nothing to extend; "
                            "more train.epochs make another search");
    } else if (spec_sets_epochs(s, &block, &mark)) {
        status = spec_error(e, s->path, mark, "epochs",
                            "block %s sets it, so one number for all would merge trials; to extend, change "
                            "it in the spec and run that: what can go on does",
                            block->id);
    }
    if (status == ST_OK && epochs <= s->base.recipe.epochs) {
        status = err_set(e, ST_USAGE, "%s: the trials have %d epochs already; allowed: more than that",
                         s->path, s->base.recipe.epochs);
    }
    if (status == ST_OK)
        status = check_schedules(s, e);
    if (status == ST_OK)
        s->base.recipe.epochs = epochs;
    return status;
}
