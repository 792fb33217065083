/* The data of figures: CSV files, kept column by column. */
#include "report/html_columns.h"
#include "report/html_private.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"

/* What keeps the page small: bytes of a file that is read, of a figure's data, of all together. */
enum { FILE_BYTES = 16 << 20, DATA_BYTES = 1 << 19, ALL_BYTES = 1 << 20, COLUMNS_MOST = 64 };

/* Ends the field at `at` with '\0', in place and without its quotes (RFC 4180), and returns what follows it:
 * the next field of the line, or with *last the next line. */
static char *next_field(char *at, char **field, bool *last)
{
    char *to = at;
    *field = at;
    if (*at != '"')
        to = at += strcspn(at, ",\n");
    else
        for (at++; *at && (*at != '"' || *++at == '"');)
            *to++ = *at++;
    const char end = *at;
    *to = '\0';
    *last = end != ',';
    return end ? at + 1 : at;
}

/* Whole numbers as they are, others with six significant digits. */
static void write_field(FILE *out, const char *field)
{
    double number;
    int64_t whole;
    if (!*field)
        fputs("null", out);
    else if (num_parse_int(field, &whole))
        fprintf(out, "%" PRId64, whole);
    else if (num_parse_double(field, &number))
        fprintf(out, "%.6g", number);
    else
        html_json(out, field);
}

/* The names of the head line; 0: too many. */
static int read_head(char **at, const char *names[COLUMNS_MOST])
{
    int n = 0;
    for (bool last = false; !last && n < COLUMNS_MOST; n++) {
        char *field;
        *at = next_field(*at, &field, &last);
        names[n] = field;
        if (last)
            return n + 1;
    }
    return 0;
}

static enum status read_rows(struct html_columns *t, int columns, char *at, struct err *e)
{
    enum status status = ST_OK;
    while (status == ST_OK && *at) {
        bool last = false;
        for (int i = 0; status == ST_OK && i < columns; i++) {
            char nothing[1] = "", *field = nothing;
            if (!last)
                at = next_field(at, &field, &last);
            write_field(html_columns_cell(t), field);
            status = html_columns_end(t, e);
        }
    }
    return status;
}

/* The table of a CSV file's text, which is changed. */
static enum status keep(struct html_page *p, char *text, bool *taken, struct err *e)
{
    const char *names[COLUMNS_MOST];
    const int columns = read_head(&text, names);
    if (columns == 0)
        return ST_OK;
    struct html_columns *t = html_columns_create(columns);
    enum status status = t ? read_rows(t, columns, text, e) : err_set(e, ST_NOMEM, "out of memory");
    if (status == ST_OK && fflush(p->data) != 0)
        status = err_set(e, ST_NOMEM, "out of memory");
    if (status == ST_OK && html_columns_bytes(t) <= DATA_BYTES &&
        html_columns_bytes(t) + p->data_size <= ALL_BYTES) {
        html_columns_write(t, names, p->data);
        fputc(',', p->data);
        p->figures++;
        *taken = true;
    }
    html_columns_free(t);
    return status;
}

enum status html_figure_data(struct html_page *p, const char *path, bool *taken, struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    struct err why = ERR_INIT;
    *taken = false;
    const enum status status = file_read(path, FILE_BYTES, &text, &n, &why);
    if (status == ST_NOMEM)
        return err_set(e, status, "%s", why.text);
    const enum status kept = status == ST_OK ? keep(p, text, taken, e) : ST_OK;
    mem_free(text);
    return kept;
}
