/* What the files of tables share. */
#ifndef REPORT_TABLE_PRIVATE_H
#define REPORT_TABLE_PRIVATE_H

#include "report/table.h"
#include "report/utf8.h"

/* table_text.c: writes the collected rows of a text table. */
enum status table_text_write(struct table *t, struct err *e);

/* The settings that all rows share, as "All rows: freq 2, ..." after an empty line; lines of t->width
 * columns, 0: one line if `one_line`, else of usual length. */
enum status table_text_shared(struct table *t, bool one_line, struct err *e);

/* table_text.c: the note below a table, after an empty line; lines as of table_text_shared. */
void table_text_note(const struct table *t, bool one_line);

/* table_markdown.c: the same as a table of GitHub-flavoured Markdown. */
enum status table_markdown_write(struct table *t, struct err *e);

/* table_html.c: the same as HTML. */
enum status table_html_write(struct table *t, struct err *e);

enum { TABLE_NUMBER_TEXT = 400 }; /* %f of the largest double has 309 digits */
/* Of one type and value; two NULLs are. */
bool table_cells_equal(const struct cell *a, const struct cell *b);
/* Whether not all collected rows have the same there. */
bool table_column_varies(const struct table *t, int column);
/* Decimals for the reals of a column of collected rows, and a number with so many; "-" for NULL. */
int table_column_decimals(const struct table *t, int column);
const char *table_number_text(const struct cell *c, int decimals, char out[TABLE_NUMBER_TEXT]);
/* A cell, and a text without what would control the terminal; NULL: out of memory. */
const char *table_cell_text(struct arena *a, const struct cell *c, int decimals);
char *table_escape(struct arena *a, const char *text);

#endif
