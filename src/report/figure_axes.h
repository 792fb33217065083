/* What figures of a block's axes share. */
#ifndef REPORT_FIGURE_AXES_H
#define REPORT_FIGURE_AXES_H

#include "report/block_results.h"
#include "report/figures.h"
#include "report/layout.h"

enum status figure_no_memory(struct err *e);
struct cell figure_number_cell(double v); /* NULL for NaN */

/* What a figure calls a level: that of points which do not set the axis is "-" in data. */
const char *figure_level_name(const char *name);

typedef enum status figure_draw_axes(const struct block_results *r, const struct figure_request *request,
                                     struct figure *f, struct err *e);
/* Loads a block and draws it if it has results of column y (NULL: test_top1) and `least` axes; else `nothing`
 * says why not. */
enum status figure_of_axes(struct store *s, const struct figure_request *r, const char *y, size_t least,
                           figure_draw_axes *draw, struct figure *out, char nothing[256], struct err *e);

/* Room at the right for a scale of colours, where otherwise the legend is. */
void figure_reserve_scale(struct layout *l, struct figure *f, double low, double high);
/* Title, and behind the second note how many trials have no result and why; then the layout. */
enum status figure_axes_finish(struct layout *l, const struct block_results *r,
                               const struct figure_request *request, struct figure *f, struct err *e);

#endif
