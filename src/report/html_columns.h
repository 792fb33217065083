/* A table of the page's data, column by column: in each, a value that comes often stands once, and rows name
 * it by a few characters. page/columns.js reads it. */
#ifndef REPORT_HTML_COLUMNS_H
#define REPORT_HTML_COLUMNS_H

#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

struct html_columns;

/* NULL: no memory. */
struct html_columns *html_columns_create(int count);
void html_columns_free(struct html_columns *t);

/* Cells come row by row. Each is one JSON value without a line end, written to what html_columns_cell gives
 * before html_columns_end takes it. */
FILE *html_columns_cell(struct html_columns *t);
enum status html_columns_end(struct html_columns *t, struct err *e);

/* Bytes of what html_columns_write writes, but for the names:
 * {"columns":[names],"rows":n,"values":[{"of":[values],"at":"..."},...]}. `at` has the number of each row's
 * value, in digits of base 64 (RFC 4648's), as many for each as the largest needs. Without it rows have the
 * values in order, or all the same one. */
size_t html_columns_bytes(const struct html_columns *t);
void html_columns_write(const struct html_columns *t, const char *const *names, FILE *out);

/* The digit of a value below 64 in RFC 4648. */
char html_columns_digit(unsigned value);

#endif
