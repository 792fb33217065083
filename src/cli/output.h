/* What reading commands print: one or several tables, in the format of --format. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/args.h"
#include "report/table.h"

struct output {
    FILE *out;
    enum table_format format;
    int width;        /* of the terminal; 0 when the output is none */
    const char *only; /* --only: the one section to print; NULL = all (CSV: the main one) */
};

/* Rows of option tables. */
#define OUTPUT_FORMAT_OPTION                                                            \
    {                                                                                   \
        "format", '\0', POPT_ARG_STRING, NULL, OPTION_FORMAT,                           \
            "Print a table (default), csv, json or markdown", "table|csv|json|markdown" \
    }

/* Reads --format and --only; prints to standard output. */
enum status output_init(struct output *o, const struct args *a, struct err *e);

/* A table of a command's answer. */
struct section {
    const char *name;    /* key of the JSON object, value of --only */
    const char *heading; /* line above a text table; NULL = none */
    const struct table_column *columns;
    int count;
    bool record;       /* one row */
    bool across;       /* text: show the record as a row */
    bool may_be_empty; /* text: leave it out when it has no rows */
    enum status (*rows)(const void *context, struct table *t, struct err *e);
    void (*note)(const void *context, FILE *out); /* lines below the text table; NULL = none */
};

/* Columns of a section from an array. */
#define SECTION_COLUMNS(array) .columns = (array), .count = (int)(sizeof(array) / sizeof *(array))

/* Text: all sections. JSON: an object with one key per section. CSV: section `main` only. With `only`: that
 * one. */
enum status output_sections(const struct output *o, const struct section *sections, int count, int main,
                            const void *context, struct err *e);

/* A row for each line of notes (space_notes.h), NULL: none; and their column. */
extern const struct table_column output_note_column;
enum status output_notes(const char *notes, struct table *t, struct err *e);

/* One section on its own: in JSON an array, or an object for a record. */
enum status output_single(const struct output *o, const struct section *s, const void *context,
                          struct err *e);

/* A query's rows under the query's own column names. */
struct output_rows {
    unsigned (*flags)(const char *column); /* of a column (enum table_flags); NULL: none has any */
    const char *nothing;                   /* and note: as of struct table */
    struct table_note note;
};
enum status output_query(const struct output *o, struct store_query *q, const struct output_rows *rows,
                         struct err *e);
/* Opens a query and adds its rows; its columns must be those of the table. */
enum status output_query_rows(struct store *store,
                              enum status (*open)(struct store *store, struct store_query **out,
                                                  struct err *e),
                              struct table *t, struct err *e);

/* Words of a text without what would control the terminal, in lines of at most `width` columns (0: one line):
 * the first begins in column `column`, further ones are indented by `hang`. */
void output_words(FILE *out, const char *text, int column, int hang, int width);

/* A message for people that begins in column `column`: on a terminal in lines of its width. */
void output_message(FILE *out, const char *text, int column);

/* Width of the terminal behind a stream, 0 if there is none. */
int output_terminal_width(FILE *stream);

/* Flushes standard output: an error that any write met is reported here. */
enum status output_flush(struct err *e);

#endif
