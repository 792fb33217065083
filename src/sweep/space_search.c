/* The trials of a search: those that the blocks name are its last rung, the shorter ones are made here. */
#include <string.h>

#include "base/mem.h"
#include "engine/trainer.h"
#include "sweep/search.h"
#include "sweep/space_internal.h"
#include "sweep/worker.h"

static bool same_contender(const struct trial *a, const struct trial *b)
{
    return strcmp(a->arch_hash, b->arch_hash) == 0 && strcmp(a->recipe_hash, b->recipe_hash) == 0;
}

/* Numbers what takes part. The seeds of a point stand side by side. Returns how many trials that are. */
static int find_contenders(struct space *space, int rungs)
{
    const struct trial *last = NULL;
    int trials = 0;
    for (int i = 0; i < space->named_count; i++) {
        struct trial *t = &space->trials[i];
        if (t->skip_reason)
            continue;
        space->contender_count += !last || !same_contender(last, t);
        t->rung = t->rungs = rungs;
        t->full = i;
        t->contender = space->contender_count - 1;
        last = t;
        trials++;
    }
    return trials;
}

/* The same trial with the epochs of a shorter rung, which are all that its recipe differs in: trials of one
 * rung are as different from one another as the full ones. */
static void add_shorter(struct builder *b, int full, int rung)
{
    struct space *space = b->space;
    struct trial *t = &space->trials[space->trial_count++];
    *t = space->trials[full];
    t->rung = rung;
    t->point.recipe.epochs = search_epochs(&b->spec->search, t->point.recipe.epochs, rung);
    recipe_hash(&t->point.recipe, engine_numerics(), t->recipe_hash);
    t->train_s *= (double)t->point.recipe.epochs / space->trials[full].point.recipe.epochs;
}

enum status space_search(struct builder *b)
{
    struct space *space = b->space;
    const int rungs = search_rungs(&b->spec->search, b->spec->base.recipe.epochs);
    const int trials = find_contenders(space, rungs);
    const size_t all = (size_t)space->named_count + (size_t)trials * (size_t)(rungs - 1);
    struct trial *larger = mem_realloc(space->trials, all + 1, sizeof *larger);
    if (!larger)
        return space_no_memory(b);
    space->trials = larger;
    for (int rung = 1; rung < rungs; rung++)
        for (int i = 0; i < space->named_count; i++)
            if (!space->trials[i].skip_reason)
                add_shorter(b, i, rung);
    return ST_OK;
}

const struct membership **space_first_memberships(const struct space *space)
{
    const struct membership **first = mem_calloc((size_t)space->trial_count + 1, sizeof(struct membership *));
    for (int i = space->membership_count - 1; first && i >= 0; i--) {
        const struct membership *m = &space->memberships[i];
        if (!m->skip_reason || space->trials[m->trial].skip_reason)
            first[m->trial] = m;
    }
    for (int i = 0; first && i < space->trial_count; i++)
        if (space->trials[i].rung < space->trials[i].rungs)
            first[i] = first[space->trials[i].full];
    return first;
}

char *space_trial_name(const struct spec *spec, const struct trial *t, const struct membership *m)
{
    char *name = trial_name_format(m ? spec->blocks[m->block].id : spec->name, m ? m->axes : NULL, t->seed);
    if (!name || t->rung == t->rungs)
        return name;
    char *longer = trial_name_rung(name, t->point.recipe.epochs);
    mem_free(name);
    return longer;
}
