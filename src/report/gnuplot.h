/* Runs gnuplot, an external program that is started here and nowhere else, without a shell: a figure's
 * definitions, plots/style.gp and a template of plots/, in files in memory. */
#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H

#include <stdbool.h>

#include "base/err.h"
#include "report/figure.h"

struct gnuplot {
    const struct gnuplot_image *image;
    const char *templates; /* folder of changed templates, or NULL */
    bool missing;          /* the program was not found */
};

/* image: "svg", "png", "pdf"; NULL: svg. templates: folder of changed ones; NULL: the environment variable
 * FIRESWEEP_TEMPLATES, or none. ST_USAGE for an unknown image or a folder that is none. */
enum status gnuplot_init(struct gnuplot *g, const char *image, const char *templates, struct err *e);
const char *gnuplot_suffix(const struct gnuplot *g); /* of image files */

/* Draws a figure with the template `name` into a file, which is written to a temporary name and renamed.
 * Errors: no gnuplot (g->missing; what to install), a template that gnuplot refuses (its words, template and
 * line). */
enum status gnuplot_draw(struct gnuplot *g, const char *name, const struct figure *f, const char *path,
                         struct err *e);

#endif
