/* Measured series, curves and claims as tables: what `firesweep paper` prints and the report shows. */
#include "report/paper_tables.h"

#include <math.h>

#include "metamodel/cost.h"

const struct table_column *paper_series_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "series"},
        {.name = "axis"},
        {.name = "sweep"},
        {.name = "data"},
        {.name = "shape", .title = "images"},
        {.name = "base_e"},
        {.name = "incr_e"},
        {.name = "freq"},
        {.name = "SR"},
        {.name = "pct3x3"},
        {.name = "epochs"},
        {.name = "batch"},
        {.name = "lr"},
        {.name = "points"},
        {.name = "lost", .title = "diverged or failed"},
    };
    *count = sizeof columns / sizeof *columns;
    return columns;
}

enum status paper_series_rows(const void *context, struct table *t, struct err *e)
{
    const struct paper *p = context;
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < p->count; i++) {
        const struct paper_series *s = &p->series[i];
        int64_t lost = 0;
        for (size_t k = 0; k < s->count; k++)
            lost += (int64_t)s->measures[k].lost;
        const struct cell cells[] = {
            cell_int((int64_t)i + 1),
            cell_text(paper_axis_name(s->axis)),
            cell_text(s->sweep),
            cell_text(s->data),
            cell_text(s->shape),
            cell_int(s->base_e),
            cell_int(s->incr_e),
            cell_int(s->freq),
            s->axis == PAPER_AXIS_SR ? cell_null() : cell_real(s->sr),
            s->axis == PAPER_AXIS_PCT3X3 ? cell_null() : cell_real(s->pct3x3),
            cell_int(s->epochs),
            cell_int(s->batch),
            cell_real(s->lr),
            cell_int((int64_t)s->count),
            cell_int(lost),
        };
        st = table_row(t, cells, e);
    }
    return st;
}

const struct table_column *paper_curve_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "series"},
        {.name = "axis", .flags = TABLE_NOT_TEXT},
        {.name = "value"},
        {.name = "model_mib", .title = "MiB", .decimals = 2},
        {.name = "n"},
        {.name = "lost", .flags = TABLE_NOT_TEXT},
        {.name = "top1", .title = "top-1 %", .decimals = 2},
        {.name = "half_width", .title = "+-", .decimals = 2},
        {.name = "gain", .title = "gain, points", .decimals = 2},
        {.name = "gain_half_width", .title = "+-", .decimals = 2},
        {.name = "gain_n", .title = "n"},
        {.name = "paper_accuracy", .title = "paper %", .decimals = 1},
        {.name = "paper_gain", .title = "paper gain", .decimals = 1},
        {.name = "paper_kind", .title = "of"},
    };
    *count = sizeof columns / sizeof *columns;
    return columns;
}

/* What the paper has at a point: top-5 of Figure 3, top-1 of Table 3; NaN if nothing. */
static double paper_accuracy(enum paper_axis axis, double value)
{
    size_t count = 0;
    if (axis == PAPER_AXIS_BYPASS)
        return paper_table3[(int)value].top1;
    const struct paper_point *p = paper_points((enum paper_curve)axis, &count);
    for (size_t i = 0; i < count; i++)
        if (fabs(p[i].value - value) < 1e-9)
            return p[i].top5;
    return NAN;
}

static struct cell cell_known(double v)
{
    return isnan(v) ? cell_null() : cell_real(v);
}

static struct cell value_cell(enum paper_axis axis, double value)
{
    if (isnan(value))
        return cell_null();
    return axis == PAPER_AXIS_BYPASS ? cell_text(bypass_name((enum bypass)value)) : cell_real(value);
}

static enum status curve_row(size_t number, const struct paper_series *s, const struct paper_measure *m,
                             struct table *t, struct err *e)
{
    const struct paper_measure *first = &s->measures[0];
    const struct summary gain = paper_difference(s, first, m);
    const double paper = paper_accuracy(s->axis, m->value), base = paper_accuracy(s->axis, first->value);
    const struct cell cells[] = {
        cell_int((int64_t)number),
        cell_text(paper_axis_name(s->axis)),
        value_cell(s->axis, m->value),
        cell_real((double)m->model_bytes / MIB),
        cell_int((int64_t)m->n),
        cell_int((int64_t)m->lost),
        cell_known(100 * m->summary.mean),
        cell_known(100 * m->summary.half_width),
        cell_known(100 * gain.mean),
        m == first ? cell_null() : cell_known(100 * gain.half_width),
        m == first ? cell_null() : cell_int((int64_t)gain.n),
        cell_known(paper),
        cell_known(paper - base),
        cell_text(isnan(paper)                   ? NULL
                  : s->axis == PAPER_AXIS_BYPASS ? "top-1"
                                                 : "top-5"),
    };
    return table_row(t, cells, e);
}

enum status paper_curve_rows(const void *context, struct table *t, struct err *e)
{
    const struct paper *p = context;
    enum status st = ST_OK;
    for (size_t i = 0; i < p->count; i++)
        for (size_t k = 0; st == ST_OK && k < p->series[i].count; k++)
            st = curve_row(i + 1, &p->series[i], &p->series[i].measures[k], t, e);
    return st;
}

void paper_curve_note(const void *context, FILE *out)
{
    const struct paper *p = context;
    if (p->count > 0)
        fputs("Ours: test top-1, mean over n seeds, 95 % confidence interval of the mean. The paper: "
              "ImageNet, other "
              "images and sizes, so that shapes can be compared, not values.\n",
              out);
}

/* Claims */

const struct table_column *paper_claim_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "claim"},
        {.name = "series"},
        {.name = "from"},
        {.name = "to"},
        {.name = "n"},
        {.name = "difference", .title = "points", .decimals = 2},
        {.name = "low", .decimals = 2},
        {.name = "high", .decimals = 2},
        {.name = "verdict"},
        {.name = "why", .flags = TABLE_OPTIONAL},
    };
    *count = sizeof columns / sizeof *columns;
    return columns;
}

static enum status claim_row(const struct paper_claim *c, const struct paper_series *s, size_t number,
                             struct table *t, struct err *e)
{
    const struct paper_finding f = paper_judge(c, s);
    const struct cell cells[] = {
        cell_text(c->text),
        cell_int((int64_t)number),
        value_cell(c->axis, f.from),
        value_cell(c->axis, f.to),
        cell_int((int64_t)f.difference.n),
        cell_known(100 * f.difference.mean),
        cell_known(100 * (f.difference.mean - f.difference.half_width)),
        cell_known(100 * (f.difference.mean + f.difference.half_width)),
        cell_text(isnan(f.from) ? NULL : verdict_name(f.verdict)),
        cell_text(f.why[0] ? f.why : NULL),
    };
    return table_row(t, cells, e);
}

enum status paper_claim_rows(const void *context, struct table *t, struct err *e)
{
    const struct paper *p = context;
    enum status st = ST_OK;
    for (const struct paper_claim *c = paper_claims(); c->text; c++)
        for (size_t i = 0; st == ST_OK && i < p->count; i++)
            if (p->series[i].axis == c->axis)
                st = claim_row(c, &p->series[i], i + 1, t, e);
    return st;
}

void paper_claim_note(const void *context, FILE *out)
{
    const struct paper *p = context;
    if (p->count > 0)
        fprintf(out,
                "Intervals: 95 %%, of differences by seed with the spread pooled over the series. Marked is "
                "a rise above "
                "%.1f points, and up to that is none.\n",
                100 * PAPER_MARGIN);
}
