/* Where things stand in a figure: margins, ranges, labels that do not overlap, legend. Text widths are
 * estimates, as the fonts of the reader's machine are unknown; they are on the wide side. */
#ifndef REPORT_LAYOUT_H
#define REPORT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "report/figure.h"

/* Pixels of the SVG; PNG has twice as many, PDF 100 to the inch. A figure of many rows is higher. */
enum { FIGURE_WIDTH = 720, FIGURE_HEIGHT = 480, FIGURE_ROW = 16 };

/* A drawn axis. */
struct range {
    double low, high;
    bool log;
};
enum range_kind { RANGE_AMOUNT, RANGE_PERCENT };
/* A range that shows values from low to high with some room, for any low <= high: also a single value.
 * Logarithmic if `may_log`, low > 0 and high is at least 100 times as large. Percentages stay within 0 to 100
 * (but for the room) and span at least one point, so that noise does not look like a trend; amounts that are
 * not negative do not go below 0. */
struct range range_around(double low, double high, enum range_kind kind, bool may_log);
/* Where v lies: 0 at low, 1 at high. */
double range_fraction(const struct range *r, double v);
/* From one number to the next (1, 2 or 5 times a power of ten) along a linear axis of so many pixels, so that
 * they do not overlap. */
double range_step(const struct range *r, double pixels);

/* Labels centred along an axis, stacked in rows (at most 8) so that none overlap: where each stands
 * (ascending, but for those moved from an edge, which reach up to it) and half its width with its gap, both
 * as fractions of the axis. row[i] is 0 for the row nearest the axis, -1 for a label that found no place in
 * `max_rows`. The first and the last label have precedence. Returns the number of rows used. */
int labels_place(const double *fractions, const double *half_widths, size_t n, int max_rows, int *row);

/* Words at places of the x axis: above the plot (the metaparameter at its model sizes) or below (categories).
 * Those below stand upright where they do not fit side by side. Those beside the edge of the canvas move
 * inwards.
 */
struct ticks {
    const char *title; /* NULL: there are none */
    bool above;
    size_t count;
    const double *x; /* ascending */
    const char *const *texts;
};

/* Words at places of the y axis, instead of its numbers. */
struct row_names {
    size_t count;
    double pixels; /* least height of a row; 0: FIGURE_ROW */
    const double *y;
    const char *const *texts;
    const bool *heading; /* which of them name those below; NULL: none */
};

struct layout {
    const char *title;
    const char *notes[2]; /* below the title; NULL: none. Where one is too long, it goes on after a "; " */
    const char *x_title, *y_title;
    struct range x, y;
    struct ticks ticks;
    struct row_names rows;
    const char *legend_title;
    size_t legend_count; /* 0: no legend, the plot takes its place */
    const char *const *legend;
};

/* Which of n lines a legend names: all up to 12, else the 8 of greatest merit (NaN is least). order[0..named)
 * are those, the rest follows, each part in ascending order. chosen: room for n. Returns `named`. */
size_t legend_choose(const double *merit, size_t n, bool *chosen, size_t *order);
/* Whether a legend shows all of an entry. */
bool legend_fits(const char *text);

/* "sweep: block"; a long sweep's name is cut, so that the block's is seen. In `arena`, NULL: no memory. */
const char *layout_title(struct arena *arena, const char *sweep, const char *block);

/* Writes all of it as definitions that plots/style.gp reads (documented there). */
enum status layout_define(const struct layout *l, struct figure *f, struct err *e);

#endif
