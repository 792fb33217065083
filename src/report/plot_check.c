/* Columns that a spec's plots ask for, before hours of training: figures would refuse them only after it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "report/metric.h"
#include "report/plot.h"
#include "sweep/spec_error.h"
#include "sweep/spec_fields.h"

/* What a kind takes as x and as y. Kinds that are not here take none. */
enum takes { NOTHING, COST, TRIAL_COLUMN, TRIAL_COLUMN_OR_AXIS, EPOCH_COLUMN, AXIS };
static const struct {
    const char *kind;
    enum takes x, y;
} kinds[] = {{"curve", TRIAL_COLUMN_OR_AXIS, TRIAL_COLUMN},
             {"learning", NOTHING, EPOCH_COLUMN},
             {"scatter", TRIAL_COLUMN_OR_AXIS, TRIAL_COLUMN},
             {"pareto", COST, TRIAL_COLUMN},
             {"edf", TRIAL_COLUMN, NOTHING},
             {"heatmap", AXIS, TRIAL_COLUMN_OR_AXIS},
             {"effects", NOTHING, TRIAL_COLUMN},
             {"parallel", NOTHING, TRIAL_COLUMN}};

static enum status check_column(const char *kind, const char *what, const char *name, enum takes takes,
                                struct err *e)
{
    const bool is_axis = name && field_find(SECTION_AXIS, name) != NULL;
    const enum metric_source source = takes == EPOCH_COLUMN ? METRIC_EPOCH : METRIC_TRIAL;
    if (!name || (is_axis && (takes == AXIS || takes == TRIAL_COLUMN_OR_AXIS)))
        return ST_OK;
    const char *key = plot_axis_spelling(name);
    if (key != name && (takes == AXIS || takes == TRIAL_COLUMN_OR_AXIS))
        return err_set(e, ST_USAGE, "%s: \"%.60s\" is unknown, did you mean %s?", what, name, key);
    if (takes == NOTHING)
        return err_set(e, ST_USAGE, "%s: %s takes no %s", what, kind, what);
    if (takes == AXIS)
        return err_set(e, ST_USAGE, "%s: \"%.60s\" is no axis, allowed: keys of base and train, such as SR",
                       what, name);
    const struct metric *cost;
    if (takes == COST)
        return metric_find_cost(what, name, &cost, e);
    if (metric_find(source, name))
        return ST_OK;
    return metric_unknown(source, what, name,
                          takes == TRIAL_COLUMN_OR_AXIS ? "of the block, such as SR" : NULL, e);
}

enum status plot_check_columns(const char *kind, const char *x, const char *y, struct err *e)
{
    enum takes takes_x = NOTHING, takes_y = NOTHING;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        if (strcmp(kinds[k].kind, kind) == 0) {
            takes_x = kinds[k].x;
            takes_y = kinds[k].y;
        }
    }
    const enum status st = check_column(kind, "x", x, takes_x, e);
    return st == ST_OK ? check_column(kind, "y", y, takes_y, e) : st;
}

static bool assigns(const struct assignments *a, const char *key)
{
    for (int i = 0; i < a->count; i++)
        if (strcmp(a->items[i].key, key) == 0)
            return true;
    return false;
}

/* Whether a block's points differ in a key, as far as its spec says. */
static bool is_axis_of(const struct block *b, const char *key)
{
    bool found = false;
    for (int i = 0; i < b->grid_count && !found; i++)
        found = strcmp(b->grid[i].key, key) == 0;
    for (int i = 0; i < b->zip_count && !found; i++)
        found = strcmp(b->zip[i].key, key) == 0;
    for (int i = 0; i < b->random.count && !found; i++)
        found = strcmp(b->random.params[i].axis.key, key) == 0;
    for (int i = 0; i < b->list_count && !found; i++)
        found = assigns(&b->list[i], key);
    return found;
}

/* What can only be an axis must be one of the block that is asked for, or of any where none is. */
static enum status check_axis(const struct spec *spec, const struct plot_request *p, const char *what,
                              const char *name, struct err *e)
{
    const struct field *f = name ? field_find(SECTION_AXIS, name) : NULL;
    if (!f || spec->cut || metric_find(METRIC_TRIAL, name))
        return ST_OK;
    for (int i = 0; i < spec->block_count; i++)
        if ((!p->block || strcmp(spec->blocks[i].id, p->block) == 0) && is_axis_of(&spec->blocks[i], f->key))
            return ST_OK;
    return err_set(e, ST_USAGE, "%s: \"%.60s\" is no axis of %s%.60s, allowed: keys set by %s", what, name,
                   p->block ? "block " : "any block", p->block ? p->block : "", "grid, zip, list or params");
}

const char *plot_axis_spelling(const char *name)
{
    for (size_t i = 0; name && !metric_find(METRIC_TRIAL, name) && i < field_count(); i++)
        if (field_in(field_at(i), SECTION_AXIS) && strcasecmp(field_at(i)->key, name) == 0)
            return field_at(i)->key;
    return name;
}

enum status plot_check(const struct spec *spec, struct err *e)
{
    for (int i = 0; i < spec->plot_count; i++) {
        char key[48];
        struct err why = ERR_INIT;
        const struct plot_request *p = &spec->plots[i];
        enum status st = plot_check_columns(p->kind, p->x, p->y, &why);
        if (st == ST_OK)
            st = check_axis(spec, p, "x", p->x, &why);
        if (st == ST_OK)
            st = check_axis(spec, p, "y", p->y, &why);
        if (st != ST_OK) {
            snprintf(key, sizeof key, "plots.%s.%c", p->kind, why.text[0]); /* x or y */
            return spec_error(e, spec->path, why.text[0] == 'y' ? p->y_mark : p->x_mark, key, "%s",
                              why.text + strlen("x: "));
        }
    }
    return ST_OK;
}
