/* Draws figures with gnuplot, an external program that is started here and nowhere else.
 *
 * For every kind of figure and every block: <sweep>-<block>-<kind>.svg, and beside it .csv with its data.
 * Style comes from the templates of plots/, which are part of the program; a folder of changed ones takes
 * precedence (plot_options.templates, or else the environment variable FIRESWEEP_TEMPLATES). */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "sweep/spec.h"
#include "sweep/store.h"

struct plot_options {
    const char *kind;  /* see plot_kind_name; NULL: what each sweep's spec requests, curve and learning if it
                          requests none */
    bool suiting;      /* without `kind`: also those that suit a block, whatever the spec requests */
    const char *block; /* NULL: all */
    const char *dir;   /* made if missing */
    const char *image; /* "svg", "png", "pdf"; NULL: svg */
    const char *x, *y; /* columns, only with `kind`; NULL: the kind's defaults */
    const char *templates; /* folder; NULL: see above */
};

struct plot_file {
    const char *kind, *sweep, *block;
    const char *figure; /* path; NULL: not drawn, see the error */
    const char *data;   /* path of the CSV */
    size_t points;      /* in the figure */
};

/* What plot_draw did. Also filled when it fails: files written before stay. */
struct plot_report {
    struct arena arena;
    size_t count, capacity;
    struct plot_file *files;
    size_t skipped_count, skipped_capacity;
    const char *
        *skipped; /* one line for each figure that has nothing to show yet: "sweep, block, kind: reason" */
};
void plot_report_init(struct plot_report *r);
void plot_report_release(struct plot_report *r);

/* Draws. Every file is written to a temporary name and renamed. Errors: an unknown kind, block, image or
 * column (ST_USAGE, listing what there is; of several blocks, those without a given axis are skipped);
 * nothing to show in any figure; no gnuplot (what to install; the data files are written all the same); a
 * template gnuplot refuses (with gnuplot's words, template and line).
 */
enum status plot_draw(struct store *s, const struct plot_options *o, struct plot_report *report,
                      struct err *e);

/* Whether the columns that a spec's plots name exist: ST_USAGE with the place in the spec and what there is.
 */
enum status plot_check(const struct spec *spec, struct err *e);
/* The same for one figure; x and y may be NULL. "x: ..." or "y: ...". */
enum status plot_check_columns(const char *kind, const char *x, const char *y, struct err *e);
/* The key of base or train that a name means in another case ("sr": "SR"), unless it is a column; else the
 * name. */
const char *plot_axis_spelling(const char *name);

/* Kinds for help texts: name of kind i, NULL behind the last, and one sentence about it. */
const char *plot_kind_name(size_t i);
const char *plot_kind_summary(size_t i);
/* Whether kind i is drawn of a sweep whose spec requests no figures. */
bool plot_kind_usual(size_t i);

#endif
