/* What figures made of lines have in common: a data file of summaries, and lines with a legend. */
#ifndef REPORT_LINES_H
#define REPORT_LINES_H

#include "report/axes.h"
#include "report/figure.h"
#include "report/layout.h"
#include "report/metric.h"
#include "report/statistics.h"

/* Columns of the data file: the axes, `x` (NULL: none), n, and mean, sample standard deviation and half width
 * of the 95 % confidence interval of `y`; if `identified`, the row ids of variant and recipe behind. */
enum status lines_columns(struct figure *f, const struct axes *a, const char *x, const struct metric *y,
                          bool identified, struct err *e);
/* What was trained; row ids. */
struct line_identity {
    int64_t variant, recipe;
};
/* Whether two lines are of one variant, so that its number does not tell them apart. Sorts `ids`. */
bool lines_share_variants(struct line_identity *ids, size_t n);
/* "variant 12" or "variant 12, recipe 3", for legends without room for names; NULL: no memory. */
const char *lines_number(const struct line_identity *id, bool recipe, struct arena *arena);
/* One row; `x` plays no role without such a column, `identity` is NULL without those columns. What is not
 * known (one replicate has no deviation) is left empty. */
enum status lines_row(struct figure *f, const struct axes *a, size_t point, struct cell x,
                      const struct summary *y, const struct line_identity *identity, struct err *e);

struct line_point {
    size_t line;
    double x;
    struct summary y;
};

/* The point's values as axes_label has them; or, where some points of the block do not set some of these axes
 * (a `list`, a `when`), what this one sets, by name: "SR=0.5, bypass=simple", "base" for nothing. In `arena`
 * or the axes; NULL: no memory. */
const char *lines_label(struct axes *a, enum axes_part part, size_t point, struct arena *arena);
/* What stands above such labels: the axes' names, if the labels do not have them. */
const char *lines_label_title(struct axes *a, enum axes_part part);

/* Defines $points, a block of "x mean half_width" per line, those that the legend names first; series_count
 * and named_count; and l's legend. labels, merit (see legend_choose): one per line; labels live as long as
 * `l`. */
enum status lines_define(struct figure *f, struct layout *l, const struct line_point *points, size_t count,
                         const char *const *labels, const double *merit, size_t lines, struct err *e);

/* Ranges around all points; y with their intervals if `bars`. */
void lines_ranges(struct layout *l, const struct line_point *points, size_t count, enum range_kind x,
                  enum range_kind y, bool bars);

/* Copies points; those of different lines whose bars would lie on each other are moved apart sideways along
 * x, for the image only. Returns whether there are any. `to`: room for count. */
bool lines_dodge(const struct range *x, const struct line_point *from, size_t count, struct line_point *to);

#endif
