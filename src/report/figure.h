/* A figure before it is drawn: its data, for the file beside it, and the gnuplot definitions its template
 * reads. Layout that depends on text and numbers is decided here; style belongs to the templates (plots/). */
#ifndef REPORT_FIGURE_H
#define REPORT_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "report/table.h"

struct figure {
    struct arena arena;
    struct strbuf definitions; /* gnuplot statements */
    int column_count;
    const struct table_column *columns; /* of the data file */
    size_t row_count, row_capacity;
    struct cell **rows;
    size_t points;     /* drawn */
    const char *title; /* of the image; in `arena`, NULL: none */
    double height;     /* of the image, in pixels (FIGURE_HEIGHT of report/layout.h); 0: not laid out yet */
};

void figure_init(struct figure *f);
void figure_release(struct figure *f);

/* Adds a row of column_count cells to the data; texts are copied. */
enum status figure_row(struct figure *f, const struct cell *cells, struct err *e);
/* {"SR":0.5,"bypass":"none"} as SR=0.5, bypass=none, as the data have it; NULL: no memory. */
const char *figure_axes_words(struct arena *arena, const char *json);
/* Writes the data as CSV, to a temporary name that is then renamed. */
enum status figure_save_data(const struct figure *f, const char *path, struct err *e);

/* Appends a gnuplot expression that shows exactly `text`: single quotes, in which gnuplot expands nothing; a
 * quote of the text is a string of its own, as gnuplot misreads two in a row, or one at the beginning.
 * Control characters and bytes that are not UTF-8 become U+FFFD, as no figure format could carry them. */
void figure_quote(struct strbuf *out, const char *text);

/* Definitions: NAME = value. Numbers are written as reals, so that no template divides integers; NaN as NaN.
 */
void figure_number(struct figure *f, const char *name, double v);
void figure_count(struct figure *f, const char *name, size_t v);
void figure_text(struct figure *f, const char *name, const char *text);
/* array NAME[n]; an empty one gets one unused element, as gnuplot has no empty arrays. */
void figure_numbers(struct figure *f, const char *name, const double *v, size_t n);
void figure_texts(struct figure *f, const char *name, const char *const *texts, size_t n);
/* Rows of numbers in gnuplot's data format; the caller writes what stands around them ("$name << EOD", blank
 * lines between blocks, "EOD"). */
void figure_data(struct figure *f, size_t columns, const double *values, size_t rows);

#endif
