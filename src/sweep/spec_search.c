/* `search`: successive halving, and what of a spec cannot stand beside it. */
#include <string.h>

#include "sweep/search.h"
#include "sweep/spec_epochs.h"
#include "sweep/spec_read.h"

static enum status search_check(struct reader *r, const struct given *given)
{
    const struct spec *spec = r->spec;
    const struct search_options *o = &spec->search;
    const int epochs = spec->base.recipe.epochs;
    const struct node *min = given_value(given, SECTION_SEARCH, "min_epochs"),
                      *cost = given_value(given, SECTION_SEARCH, "cost");
    if (spec->data.val == 0) {
        return reader_fail(
            r, o->mark, NULL, "search",
            "chooses by validation accuracy and data.val is 0, allowed: with data.val above 0");
    }
    if (epochs < o->eta) {
        return reader_fail(r, o->mark, NULL, "search",
                           "train.epochs (%d) is less than eta (%d), so there is no shorter rung, allowed: "
                           "train.epochs of at least min_epochs times eta, %d here",
                           epochs, o->eta, o->min_epochs * o->eta);
    }
    if (search_rungs(o, epochs) < 2) {
        return reader_fail(r, min ? min->mark : o->mark, "search", "min_epochs",
                           "%d times eta (%d) is more than train.epochs (%d), so there is no shorter rung, "
                           "allowed: at most %d here",
                           o->min_epochs, o->eta, epochs, epochs / o->eta);
    }
    if (cost && o->mode == SEARCH_ACCURACY) {
        return reader_fail(r, cost->mark, "search", "cost",
                           "has no effect in mode accuracy, allowed with mode pareto");
    }
    return ST_OK;
}

enum status search_read(struct reader *r, const struct node *node)
{
    struct spec *spec = r->spec;
    struct given given;
    const struct block *block = NULL;
    struct mark mark;
    if (!node)
        return ST_OK;
    enum status st = section_scan(r, node, SECTION_SEARCH, "search", &given);
    if (st == ST_OK)
        st = section_assign(r, node, SECTION_SEARCH, "search", spec);
    if (st != ST_OK)
        return st;
    spec->search.on = true;
    spec->search.mark = node->mark;
    if (spec_sets_epochs(spec, &block, &mark)) {
        return reader_fail(r, mark, block->id, "epochs",
                           "is set by the rungs of `search`, allowed: in train, for all blocks");
    }
    return search_check(r, &given);
}
