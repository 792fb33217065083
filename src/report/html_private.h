/* What the parts of the HTML report share. Each part writes a section, or nothing where it does not apply. */
#ifndef REPORT_HTML_PRIVATE_H
#define REPORT_HTML_PRIVATE_H

#include "report/html.h"
#include "report/html_page.h"
#include "report/table.h"

struct html_page {
    struct store *store;
    const struct html_options *options;
    FILE *out;
    struct strbuf *left_out;
    char nonce[33]; /* only scripts with it run */
    FILE *data;     /* of figures, JSON with a comma behind each; html_figure_data writes it */
    char *data_text;
    size_t data_size;
    int figures; /* so many */
};

typedef enum status html_part(struct html_page *p, struct err *e);
html_part html_title, html_overview, html_findings, html_failures, html_paper, html_figures, html_specs,
    html_data;

/* A table with a heading and lines below; nothing without rows. */
struct html_table {
    const char *heading; /* of level 3 */
    const char *note;    /* a paragraph below the heading, or NULL */
    const struct table_column *columns;
    const char *sql; /* the rows, or else what adds them */
    enum status (*rows)(const void *context, struct table *t, struct err *e);
    void (*after)(const void *context, FILE *out); /* text below, or NULL */
    const void *context;
    int count;        /* of columns; what else `sql` gives are settings, called as it calls them */
    bool folded;      /* behind its heading until it is opened */
    size_t fold_over; /* likewise with more rows than these; 0: however many */
    size_t most;      /* rows that the query gives, or that are shown, at most; 0: all */
    const char *all;  /* the command that has the others where `rows` adds more than `most` */
};
enum status html_table_write(struct html_page *p, const struct html_table *h, size_t *rows, struct err *e);
#define HTML_COLUMNS(array) .columns = (array), .count = (int)(sizeof(array) / sizeof *(array))

/* "3 h 12 min", "7.5 s"; returns out. */
const char *html_duration(double seconds, char out[32]);

/* Records a line of what is missing, and writes it into the page as a paragraph. */
void html_left_out(struct html_page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first row of a query; *row false without one. Close the query in any case. */
enum status html_query_row(struct html_page *p, const char *sql, struct store_query **q, bool *row,
                           struct err *e);

/* html_layers.c: layer lists without their widths, as JSON; variants share them. */
struct html_shapes;
struct html_shapes *html_shapes_create(void); /* NULL: no memory */
void html_shapes_free(struct html_shapes *s);
/* Number of the list of a design, from 0; -1 if its network cannot be built. */
enum status html_shapes_find(struct html_shapes *s, const struct design *d, int *out, struct err *e);
void html_shapes_write(const struct html_shapes *s, FILE *out); /* a JSON array */

/* html_variants.c: "variants" and "shapes"; html_epochs.c: "epochs". Members of the page's JSON object. */
enum status html_variants(struct html_page *p, struct err *e);
enum status html_epochs(struct html_page *p, struct err *e);

/* html_figure_data.c: keeps the figure's data, a CSV file, for the page's JSON. Not *taken: there is none, or
 * it would be too much. */
enum status html_figure_data(struct html_page *p, const char *path, bool *taken, struct err *e);

/* One cell as JSON: reals with six significant digits. */
void html_json_cell(FILE *out, struct cell c);

/* Files of src/report/page. */
const char *html_page_file(const char *name);

#endif
