#include "report/effects.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Least squares over indicator columns: the normal equations, of which some rows and columns may be switched
 * off. Column 0 is the constant; an axis has one column for each level but its first (that is set). Columns
 * of a nested axis are 0 where it is not set and add up to 0 over the others, so that they tell nothing of
 * the axis it is nested in. */
struct design {
    const double *y;
    const size_t *level;
    const struct effects_factor *factors;
    size_t n, axes, columns;
    double *share;   /* of each column of a nested axis: of the observations that have the axis set */
    size_t *first;   /* column of level 1 of each axis; [axes] = columns */
    double *cross;   /* columns x columns: X'X */
    double *product; /* X'y */
    double mean;     /* taken off y */
    double rounding; /* of y: what is smaller is 0 */
    double *work;    /* columns x (columns + 1) */
    double *solution;
};

static void design_release(struct design *d)
{
    mem_free(d->first);
    mem_free(d->share);
    mem_free(d->cross);
    mem_free(d->product);
    mem_free(d->work);
    mem_free(d->solution);
}

/* The level without a column of its own: the others are told relative to it. */
static size_t reference(const struct design *d, size_t k)
{
    return d->factors[k].absent == 0 ? 1 : 0;
}

/* The column of another level. */
static size_t column_of(const struct design *d, size_t k, size_t level)
{
    return d->first[k] + level - (level > reference(d, k));
}

struct entry {
    size_t column;
    double value;
};

/* What is not 0 in an observation's row of the design: into out (up to `columns` entries); their number. */
static size_t row_of(const struct design *d, size_t i, struct entry *out)
{
    size_t n = 0;
    out[n++] = (struct entry){0, 1};
    for (size_t k = 0; k < d->axes; k++) {
        const size_t level = d->level[i * d->axes + k], absent = d->factors[k].absent;
        const bool nested = absent != EFFECTS_NONE;
        if (level == absent)
            continue;
        for (size_t c = d->first[k]; nested && c < d->first[k + 1]; c++)
            out[n++] = (struct entry){c, -d->share[c]};
        if (level == reference(d, k))
            continue;
        const size_t own = column_of(d, k, level);
        if (nested)
            out[n - (d->first[k + 1] - own)].value += 1;
        else
            out[n++] = (struct entry){own, 1};
    }
    return n;
}

/* False: no memory, or too many columns to need any. */
static bool design_allocate(struct design *d)
{
    d->first = mem_alloc(d->axes + 1, sizeof *d->first);
    if (!d->first)
        return false;
    d->columns = 1;
    for (size_t k = 0; k < d->axes; k++) {
        d->first[k] = d->columns;
        d->columns += d->factors[k].levels > 0 ? d->factors[k].levels - 1 : 0;
    }
    d->first[d->axes] = d->columns;
    if (d->columns > EFFECTS_PARAMETERS)
        return false;
    d->share = mem_calloc(d->columns, sizeof *d->share);
    d->cross = mem_calloc(d->columns * d->columns, sizeof *d->cross);
    d->product = mem_calloc(d->columns, sizeof *d->product);
    d->work = mem_alloc(d->columns * (d->columns + 1), sizeof *d->work);
    d->solution = mem_alloc(d->columns, sizeof *d->solution);
    return d->share && d->cross && d->product && d->work && d->solution;
}

/* share[]. */
static void share_columns(struct design *d)
{
    for (size_t k = 0; k < d->axes; k++) {
        const size_t absent = d->factors[k].absent;
        size_t set = 0;
        for (size_t i = 0; i < d->n && absent != EFFECTS_NONE; i++) {
            const size_t level = d->level[i * d->axes + k];
            set += level != absent;
            if (level != absent && level != reference(d, k))
                d->share[column_of(d, k, level)] += 1;
        }
        for (size_t c = d->first[k]; c < d->first[k + 1] && set > 0; c++)
            d->share[c] /= (double)set;
    }
}

static enum status design_fill(struct design *d, struct err *e)
{
    struct entry *row = design_allocate(d) ? mem_alloc(d->columns + 1, sizeof *row) : NULL;
    if (d->columns > EFFECTS_PARAMETERS)
        return err_set(e, ST_FAILED, "the axes have %zu levels, allowed are %d for effects", d->columns,
                       EFFECTS_PARAMETERS);
    if (!row)
        return err_set(e, ST_NOMEM, "out of memory");
    share_columns(d);
    for (size_t i = 0; i < d->n; i++) {
        const size_t count = row_of(d, i, row);
        for (size_t a = 0; a < count; a++) {
            d->product[row[a].column] += row[a].value * (d->y[i] - d->mean);
            for (size_t b = 0; b < count; b++)
                d->cross[row[a].column * d->columns + row[b].column] += row[a].value * row[b].value;
        }
    }
    mem_free(row);
    return ST_OK;
}

/* The sweep operator (Goodnight, "A tutorial on the SWEEP operator", 1979) on column c of the extended
 * matrix: once all columns are swept, it holds the inverse of X'X and, behind it, the solution. False: the
 * column depends on those before it. */
static bool sweep(struct design *d, size_t c)
{
    const size_t m = d->columns, wide = m + 1;
    double *pivot = &d->work[c * wide];
    if (!(pivot[c] > 1e-9 * d->cross[c * m + c]))
        return false;
    const double inverse = 1 / pivot[c];
    for (size_t k = 0; k < wide; k++)
        pivot[k] *= inverse;
    for (size_t r = 0; r < m; r++) {
        double *row = &d->work[r * wide];
        const double factor = row[c];
        if (r == c || factor == 0)
            continue;
        for (size_t k = 0; k < wide; k++)
            row[k] -= factor * pivot[k];
        row[c] = -factor * inverse;
    }
    pivot[c] = inverse;
    return true;
}

/* Fits without the columns from..to-1; the sum of squares that the fit accounts for, and its rank. The
 * solution is 0 for columns that are left out or depend on others. */
static double fit(struct design *d, size_t from, size_t to, size_t *rank)
{
    const size_t m = d->columns, wide = m + 1;
    for (size_t r = 0; r < m; r++) {
        memcpy(&d->work[r * wide], &d->cross[r * m], m * sizeof *d->work);
        d->work[r * wide + m] = d->product[r];
        d->solution[r] = 0;
    }
    bool *used = (bool *)mem_calloc(m, sizeof *used);
    *rank = 0;
    double squares = used ? 0 : NAN;
    for (size_t c = 0; used && c < m; c++) {
        used[c] = !(c >= from && c < to) && sweep(d, c);
        *rank += used[c];
    }
    for (size_t c = 0; used && c < m; c++)
        if (used[c]) {
            d->solution[c] = d->work[c * wide + m];
            squares += d->solution[c] * d->product[c];
        }
    mem_free(used);
    return squares;
}

/* Summaries of the observations of each level. */
static enum status describe_levels(const struct design *d, size_t k, struct effects_axis *a, struct err *e)
{
    double *values = mem_alloc(d->n, sizeof *values);
    if (!values)
        return err_set(e, ST_NOMEM, "out of memory");
    for (size_t level = 0; level < a->levels; level++) {
        size_t n = 0;
        for (size_t i = 0; i < d->n; i++)
            if (d->level[i * d->axes + k] == level)
                values[n++] = d->y[i];
        a->level[level] = summarise(values, n);
    }
    mem_free(values);
    return ST_OK;
}

/* Of an axis, how many observations have it set. */
static size_t count_set(const struct design *d, size_t k, const struct effects_axis *a)
{
    size_t set = 0;
    for (size_t level = 0; level < a->levels; level++)
        set += level == d->factors[k].absent ? 0 : a->level[level].n;
    return set;
}

/* The part of a level's own column in its effect: less the mean over the observations that have the axis set.
 */
static double part_of(const struct effects_axis *a, size_t level, size_t column_level, size_t set)
{
    return (level == column_level) - (double)a->level[column_level].n / (double)set;
}

/* The model's effect of a level, around the mean over the observations that have the axis set, and its
 * variance as a multiple of that of an observation. */
static void adjust_level(const struct design *d, size_t k, const struct effects_axis *a, size_t level,
                         size_t set, double *effect, double *variance)
{
    const size_t wide = d->columns + 1, absent = d->factors[k].absent, first = reference(d, k);
    *effect = *variance = 0;
    for (size_t i = 0; i < a->levels; i++) {
        if (i == first || i == absent || a->level[i].n == 0)
            continue;
        const size_t row = column_of(d, k, i);
        const double part = part_of(a, level, i, set);
        *effect += part * d->solution[row];
        for (size_t j = 0; j < a->levels; j++)
            if (j != first && j != absent && a->level[j].n > 0)
                *variance += part * part_of(a, level, j, set) * d->work[row * wide + column_of(d, k, j)];
    }
}

/* After a fit with all columns. */
static void adjust(const struct design *d, size_t k, const struct effects *f, struct effects_axis *a)
{
    const size_t set = count_set(d, k, a);
    const double error = f->rest_freedom > 0 && f->rest > 0 ? f->rest / (double)f->rest_freedom : NAN,
                 t = student_t_quantile(0.975, f->rest_freedom);
    a->centre = 0;
    for (size_t level = 0; level < a->levels; level++) {
        double effect = NAN, variance = NAN;
        if (level != d->factors[k].absent && a->level[level].n > 0) {
            a->centre += a->level[level].mean * (double)a->level[level].n / (double)set;
            if (a->tie == EFFECTS_FREE)
                adjust_level(d, k, a, level, set, &effect, &variance);
        }
        a->adjusted[level] = fabs(effect) < d->rounding ? 0 : effect;
        a->half_width[level] = t * sqrt(fmax(variance, 0) * error);
        if (isnan(variance))
            a->half_width[level] = NAN;
    }
}

static enum status axis_init(struct effects_axis *a, size_t levels, struct err *e)
{
    a->levels = levels;
    a->level = mem_calloc(levels + 1, sizeof *a->level);
    a->adjusted = mem_calloc(levels + 1, sizeof *a->adjusted);
    a->half_width = mem_calloc(levels + 1, sizeof *a->half_width);
    return a->level && a->adjusted && a->half_width ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
}

/* A sum of squares, or 0 where it is nothing but rounding. */
static double beyond_rounding(double squares, const struct effects *f)
{
    return fabs(squares) < 1e-12 * f->total ? 0 : squares;
}

/* What the fit loses without the axis. */
static void decompose(struct design *d, size_t k, double fitted, size_t rank, struct effects *f)
{
    struct effects_axis *a = &f->axes[k];
    size_t without, present = 0;
    const double rest = fit(d, d->first[k], d->first[k + 1], &without);
    for (size_t level = 0; level < a->levels; level++)
        present += a->level[level].n > 0 && level != d->factors[k].absent;
    a->freedom = rank - without;
    a->contrasts = present > 0 ? present - 1 : 0;
    a->tie = a->freedom == 0 ? EFFECTS_TIED : a->freedom < a->contrasts ? EFFECTS_PARTLY_TIED : EFFECTS_FREE;
    a->squares = a->freedom > 0 ? beyond_rounding(fmax(fitted - rest, 0), f) : 0;
    a->share = a->freedom > 0 && f->total > 0 ? a->squares / f->total : NAN;
    a->f = a->freedom > 0 && f->rest_freedom > 0 && f->rest > 0
               ? a->squares / (double)a->freedom / (f->rest / (double)f->rest_freedom)
               : NAN;
    a->p = f_tail(a->f, a->freedom, f->rest_freedom);
}

static enum status estimate(struct design *d, struct effects *f, struct err *e)
{
    enum status st = design_fill(d, e);
    for (size_t k = 0; k < d->axes && st == ST_OK; k++) {
        st = axis_init(&f->axes[k], d->factors[k].levels, e);
        if (st == ST_OK)
            st = describe_levels(d, k, &f->axes[k], e);
    }
    if (st != ST_OK)
        return st;
    size_t rank;
    double fitted = fit(d, 0, 0, &rank);
    f->rest = beyond_rounding(fmax(f->total - fitted, 0), f);
    f->rest_freedom = d->n - rank;
    f->shared = f->total - f->rest;
    for (size_t k = 0; k < d->axes; k++) {
        decompose(d, k, fitted, rank, f);
        f->shared -= f->axes[k].squares;
    }
    f->shared = beyond_rounding(f->shared, f);
    fit(d, 0, 0, &rank);
    for (size_t k = 0; k < d->axes; k++)
        adjust(d, k, f, &f->axes[k]);
    return isnan(fitted) || isnan(f->shared) ? err_set(e, ST_NOMEM, "out of memory") : ST_OK;
}

enum status effects_estimate(const double *y, const size_t *level, size_t n,
                             const struct effects_factor *factors, size_t axes, struct effects *out,
                             struct err *e)
{
    *out =
        (struct effects){.count = axes, .observations = n, .axes = mem_calloc(axes + 1, sizeof *out->axes)};
    if (!out->axes)
        return err_set(e, ST_NOMEM, "out of memory");
    if (n == 0)
        return err_set(e, ST_FAILED, "there are no results to tell effects from");
    const struct summary all = summarise(y, n);
    struct design d = {.y = y,
                       .level = level,
                       .factors = factors,
                       .n = n,
                       .axes = axes,
                       .mean = all.mean,
                       .rounding = 1e-12 * fmax(fabs(all.min), fabs(all.max))};
    out->mean = all.mean;
    for (size_t i = 0; i < n; i++)
        out->total += (y[i] - out->mean) * (y[i] - out->mean);
    if (out->total <= (double)n * d.rounding * d.rounding)
        out->total = 0;
    const enum status st = estimate(&d, out, e);
    design_release(&d);
    return st;
}

void effects_release(struct effects *f)
{
    for (size_t k = 0; f->axes && k < f->count; k++) {
        mem_free(f->axes[k].level);
        mem_free(f->axes[k].adjusted);
        mem_free(f->axes[k].half_width);
    }
    mem_free(f->axes);
    *f = (struct effects){0};
}
