/* What conditions of a spec may speak of: every key of base and train, and what a point costs. */
#ifndef SWEEP_CONDITIONS_H
#define SWEEP_CONDITIONS_H

#include "metamodel/cost.h"
#include "sweep/expression.h"
#include "sweep/spec.h"

struct field;

/* The names for constraints and exclude, or those of keys alone (for `when`, which stands before any cost is
 * known). Lives in the arena; ST_NOMEM. */
enum status conditions_scope(struct arena *arena, bool costs, struct expression_scope *out, struct err *e);

/* The index of the key or cost in a scope, -1 if it has none. */
int conditions_name(const char *name);

/* Databases have the same keys and costs as columns, whose names do not distinguish case: the index of the
 * one that a column holds, -1 if it holds none; what it is; its field, NULL for costs. */
int conditions_column(const char *name);
struct expression_name conditions_entry(int index);
const struct field *conditions_field(int index);

/* The one form of a text as a value of a field; see expression_scope. */
bool conditions_canonical(const struct field *f, const char *text, char out[EXPRESSION_TEXT]);

/* Where the character at `offset` of a scalar stands, when the scalar begins at `start` of the spec's text:
 * quotes, escapes and folded lines are followed; in block scalars (| and >) it is the scalar's place. */
struct mark conditions_mark(const char *spec_text, struct mark start, size_t offset);

/* A point and what is known of it, the context of conditions_lookup. */
struct measures {
    const struct point *point;
    const struct cost *cost; /* NULL: only keys are asked for */
    const struct derived *derived;
    int min_channels;
    double train_s; /* NaN: not known */
};
/* context: a struct measures */
void conditions_lookup(const void *context, int name, struct expression_value *out);

/* Fewest filters of a convolution but conv10: what a wide vector unit or a quantised kernel cares for. */
int conditions_min_channels(const struct arch *arch);

/* Markdown rows on the costs, for the reference. */
struct cost_name {
    const char *name;
    enum expression_unit unit;
    const char *meaning;
};
const struct cost_name *conditions_costs(int *count);

#endif
