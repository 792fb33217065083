/* Where the columns of a text table stand on a terminal of t->width columns (0: no limit): side by side, or
 * narrowed, or in groups under the first column's values, or in parts one below the other. Everything is in
 * the table's arena. */
#ifndef REPORT_TABLE_LAYOUT_H
#define REPORT_TABLE_LAYOUT_H

#include <stddef.h>
#include <string.h>

#include "report/table_private.h"

enum { TABLE_GAP = 2 }; /* blanks between columns */

struct table_layout {
    int count;   /* visible columns */
    int keys;    /* of them, the first ones that every part has */
    int *column; /* index of each in the table */
    int *width;
    int *least; /* to which it may be narrowed */
    int *decimals;
    bool *is_text;      /* aligned left, may wrap */
    bool *hidden;       /* not in the part that is written now */
    const char **title; /* escaped */
    const char **body;  /* rows x stride, escaped */
    int stride;
    bool grouped; /* the column before the first stands in lines of its own, above its rows */
};

/* A cell; column -1 of a grouped layout is that of its groups. */
static inline const char **table_layout_cell(const struct table_layout *l, size_t row, int column)
{
    return &l->body[(ptrdiff_t)row * l->stride + column];
}

static inline bool table_layout_starts_group(const struct table_layout *l, size_t row)
{
    return l->grouped &&
           (row == 0 || strcmp(*table_layout_cell(l, row - 1, -1), *table_layout_cell(l, row, -1)) != 0);
}

/* A setting that all rows share tells nothing in a column of its own, a minor one not even of a single row.
 */
bool table_layout_has_column(const struct table *t, int column);
/* Whether it has none because all rows have the same there, which is said below the table instead. */
bool table_layout_is_shared(const struct table *t, int column);

/* Formats everything and finds the natural widths. `l` is zero. */
enum status table_layout_fill(struct table_layout *l, struct table *t, struct err *e);
/* Wraps headings, then texts between words, then within words, after the first column became groups where it
 * repeats. False if the table cannot be made as narrow as asked. */
bool table_layout_fit(struct table_layout *l, const struct table *t);
/* After that failed: a table that comes in parts, each with the columns that tell rows apart (l->keys). False
 * if that does not help either. */
bool table_layout_split(struct table_layout *l, const struct table *t);
/* Hides all but the key columns and as many from `from` on as fit; returns the next one. */
int table_layout_show_part(struct table_layout *l, int width, int from);
/* Makes groups a column again. */
void table_layout_ungroup(struct table_layout *l);

/* A line's worth of a longer text. */
struct table_piece {
    size_t bytes;
    int width;
    const char *rest; /* what follows, NULL at the end */
};
/* Takes what fits into `width` columns, up to a space, which is dropped, or to where a word may break. */
struct table_piece table_layout_piece(const char *text, int width);

#endif
