/* Building a plot_report: what plot_draw tells about its files. */
#ifndef REPORT_PLOT_REPORT_H
#define REPORT_PLOT_REPORT_H

#include "report/figures.h"
#include "report/plot.h"

/* The kind's default columns, which file names leave out. */
struct plot_defaults {
    const char *x, *y;
};

/* Adds the files of a figure: their paths, folder/<sweep>-<block>-<kind>[-<y>][-over-<x>].<image> and .csv,
 * with characters that do not belong into file names replaced (and a hash added, so that names stay
 * different). *out is the new entry, whose figure is to be drawn yet, or NULL when this very figure was added
 * before. */
enum status plot_report_add(struct plot_report *r, const char *folder, const char *kind, const char *image,
                            const struct plot_defaults *defaults, const struct figure_request *request,
                            struct plot_file **out, struct err *e);

enum status plot_report_skip(struct plot_report *r, const char *kind, const struct figure_request *request,
                             const char *reason, struct err *e);

#endif
