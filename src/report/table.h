/* The one output formatter: rows of typed cells as an aligned table for people, as CSV, as JSON, or as a
 * table of GitHub-flavoured Markdown (columns of text tables).
 *
 *     struct table t;
 *     st = table_init(&t, stdout, TABLE_TEXT, columns, count, e);
 *     while (there are rows)
 *         st = table_row(&t, cells, e);
 *     st = table_finish(&t, e);
 *     table_release(&t);
 *
 * CSV and JSON rows are written as they come; text, Markdown and HTML tables are written by table_finish,
 * because widths, decimals and which settings are shown depend on all rows. Nothing depends on the locale.
 * Write errors stay in the stream (ferror). */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "sweep/store.h" /* struct cell */

enum table_format {
    TABLE_TEXT,
    TABLE_CSV,
    TABLE_JSON,
    TABLE_MARKDOWN,
    TABLE_FORMAT_COUNT,             /* of those that have a name and can be asked for */
    TABLE_HTML = TABLE_FORMAT_COUNT /* a <table> of the HTML report: columns of text tables */
};
const char *table_format_name(enum table_format f); /* "table", "csv", "json", "markdown" */
bool table_format_parse(const char *text, enum table_format *out);

enum table_flags {
    TABLE_NOT_TEXT = 1 << 0, /* column left out of text tables */
    TABLE_NOT_CSV = 1 << 1,
    TABLE_NOT_JSON = 1 << 2,
    TABLE_JSON_VALUE = 1 << 3, /* the column's text is a JSON value and is put into JSON as it is */
    TABLE_VARYING = 1 << 5,    /* a setting: where all of several rows have the same, text, Markdown and HTML
                                  say it once, below */
    TABLE_EXACT = 1 << 8,      /* its numbers are as short as they read back, as those of TABLE_VARYING are */
    TABLE_OPTIONAL = 1 << 7,   /* text, Markdown and HTML: left out where no row has a value */
    TABLE_MINOR = 1 << 6,      /* with TABLE_VARYING: it is not even said, of a single row neither */
    TABLE_VARIANT = 1 << 4,    /* HTML: a variant's row id, a link to its part of the page */
};

struct table_column {
    const char *name;  /* CSV heading and JSON key */
    const char *title; /* heading of a text table; NULL = name */
    int decimals;      /* of reals in a text table; 0 = as many as the column's values call for */
    unsigned flags;
};

/* A line below a text or Markdown table that has rows. */
struct table_note {
    const char *column; /* only where this one has no value in some row; NULL: always */
    const char *text;   /* NULL: none */
};

/* A number and its text: formatting takes long, and settings repeat from row to row. */
enum { TABLE_SHORTEST_TEXT = 32 };
struct table_number {
    double value;
    char text[TABLE_SHORTEST_TEXT]; /* "": none yet */
};

struct table {
    FILE *out;
    enum table_format format;
    int width;  /* of the terminal: wider text tables wrap headings and texts, or else come in parts; 0 = no
                   limit */
    int indent; /* spaces before every line of JSON but the first */
    /* Where rows go instead, if set: nothing is written. */
    enum status (*sink)(void *context, const struct cell *cells, struct err *e);
    void *sink_context;
    bool record;         /* there is one row: a list of names and values in text, a single object in JSON */
    const char *nothing; /* text: why there are no rows, if there are none; NULL: not said */
    struct table_note note;
    /* private */
    bool terminal; /* CSV for a person: controls are escaped */
    struct arena arena;
    int count;
    struct table_column *columns;
    struct table_number *numbers; /* of CSV and JSON: the last one of each column */
    size_t rows, capacity;
    struct cell **lines; /* rows of a text table, waiting for table_finish */
};

/* Columns are copied, their texts too. Set width, indent, record, nothing and note between init and the first
 * row. */
enum status table_init(struct table *t, FILE *out, enum table_format format,
                       const struct table_column *columns, int count, struct err *e);
/* `cells`: one per column, texts are copied when needed later. NULL is "-" in text, an empty field in CSV,
 * null in JSON; a real that is not finite is null in JSON. Texts that are not UTF-8 are escaped (text) or get
 * U+FFFD (JSON). */
enum status table_row(struct table *t, const struct cell *cells, struct err *e);
enum status table_finish(struct table *t, struct err *e);
void table_release(struct table *t);

static inline struct cell cell_null(void)
{
    return (struct cell){.type = CELL_NULL};
}
static inline struct cell cell_int(int64_t v)
{
    return (struct cell){.type = CELL_INT, .i = v};
}
static inline struct cell cell_real(double v)
{
    return (struct cell){.type = CELL_REAL, .r = v};
}
/* A NULL pointer gives a NULL cell. */
static inline struct cell cell_text(const char *text)
{
    return (struct cell){.type = text ? CELL_TEXT : CELL_NULL, .text = text};
}

/* A text as in a text table: what would control the terminal is escaped. */
void table_print_escaped(FILE *out, const char *text);
/* Columns a text takes on a terminal once it is escaped as in a text table. */
int table_text_width(const char *text);
/* One JSON string, quoted. */
void table_json_string(FILE *out, const char *text);

#endif
