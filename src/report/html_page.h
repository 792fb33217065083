/* One self-contained page of HTML about a results database: what was found, the paper beside it, figures,
 * every trial and every variant. It needs no network and no other file.
 *
 * The page's own files are those of src/report/page, compiled into the program; page.html says what stands
 * where. Data come once, as JSON in a <script> element that is data and never runs; page.js and the others
 * show them. */
#ifndef REPORT_HTML_PAGE_H
#define REPORT_HTML_PAGE_H

#include <stdio.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "sweep/store.h"

struct html_options {
    const char *title;   /* NULL: the sweeps' names */
    const char *version; /* of firesweep */
};

/* Writes the page, as the database is at this moment. `left_out` receives a line for everything that could
 * not be drawn or was left out to keep the page small; the page says it too. Figures need gnuplot and a
 * folder for temporary files (TMPDIR, or /tmp); without them everything else is there. Write errors stay in
 * the stream. */
enum status html_page_write(struct store *s, const struct html_options *o, FILE *out, struct strbuf *left_out,
                            struct err *e);

#endif
