/* Columns that a spec's plots ask for, before hours of training: figures would refuse them only after it. */
#include <stdio.h>
#include <string.h>

#include "report/metric.h"
#include "report/plot.h"
#include "sweep/spec_error.h"
#include "sweep/spec_fields.h"

/* What a kind takes as x and as y. Kinds that are not here take none. */
enum takes { NOTHING, TRIAL_COLUMN, TRIAL_COLUMN_OR_AXIS, EPOCH_COLUMN, AXIS };
static const struct {
    const char *kind;
    enum takes x, y;
} kinds[] = {{"curve", TRIAL_COLUMN_OR_AXIS, TRIAL_COLUMN},
             {"learning", NOTHING, EPOCH_COLUMN},
             {"scatter", TRIAL_COLUMN, TRIAL_COLUMN},
             {"pareto", TRIAL_COLUMN, TRIAL_COLUMN},
             {"edf", TRIAL_COLUMN, NOTHING},
             {"heatmap", AXIS, TRIAL_COLUMN},
             {"effects", NOTHING, TRIAL_COLUMN},
             {"parallel", NOTHING, TRIAL_COLUMN}};

static enum status check_column(const struct spec *spec, int plot, const char *what, const char *name,
                                enum takes takes, struct err *e)
{
    char key[48];
    struct err why = ERR_INIT;
    const struct plot_request *p = &spec->plots[plot];
    const bool is_axis = name && field_find(SECTION_AXIS, name) != NULL;
    const enum metric_source source = takes == EPOCH_COLUMN ? METRIC_EPOCH : METRIC_TRIAL;
    if (!name || (is_axis && (takes == AXIS || takes == TRIAL_COLUMN_OR_AXIS)))
        return ST_OK;
    snprintf(key, sizeof key, "plots.%s.%s", p->kind, what);
    if (takes == NOTHING)
        return spec_error(e, spec->path, p->mark, key, "%s takes no %s", p->kind, what);
    if (takes == AXIS)
        return spec_error(e, spec->path, p->mark, key,
                          "\"%.60s\" is no axis, allowed: keys of base and train, such as SR", name);
    if (metric_find(source, name))
        return ST_OK;
    metric_unknown(source, "", name, takes == TRIAL_COLUMN_OR_AXIS ? "of the block, such as SR" : NULL, &why);
    return spec_error(e, spec->path, p->mark, key, "%s", why.text + strlen(": "));
}

enum status plot_check(const struct spec *spec, struct err *e)
{
    enum status st = ST_OK;
    for (int i = 0; i < spec->plot_count && st == ST_OK; i++) {
        enum takes x = NOTHING, y = NOTHING;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            if (strcmp(kinds[k].kind, spec->plots[i].kind) == 0) {
                x = kinds[k].x;
                y = kinds[k].y;
            }
        }
        st = check_column(spec, i, "x", spec->plots[i].x, x, e);
        if (st == ST_OK)
            st = check_column(spec, i, "y", spec->plots[i].y, y, e);
    }
    return st;
}
