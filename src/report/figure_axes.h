/* What figures of a block's axes share. */
#ifndef REPORT_FIGURE_AXES_H
#define REPORT_FIGURE_AXES_H

#include "report/block_results.h"
#include "report/figures.h"
#include "report/layout.h"

enum status figure_no_memory(struct err *e);
struct cell figure_number_cell(double v); /* NULL for NaN */

typedef enum status figure_draw_axes(const struct block_results *r, const struct figure_request *request,
                                     struct figure *f, struct err *e);
/* Loads a block and draws it if it has results and `least` axes; else `nothing` says why not. */
enum status figure_of_axes(struct store *s, const struct figure_request *r, size_t least,
                           figure_draw_axes *draw, struct figure *out, char nothing[256], struct err *e);

/* Room at the right for a scale of colours, where otherwise the legend is. */
void figure_reserve_scale(struct layout *l, struct figure *f, double low, double high);
/* Names at 1, 2, 3, ... of the x axis. */
enum status figure_set_ticks(struct layout *l, struct figure *f, const char *const *names, size_t count,
                             struct err *e);
/* Title, and how many trials have no result; then the layout. */
enum status figure_axes_finish(struct layout *l, const struct block_results *r,
                               const struct figure_request *request, struct figure *f, struct err *e);

#endif
