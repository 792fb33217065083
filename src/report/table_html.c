/* Tables of the HTML report. */
#include "report/html.h"
#include "report/table_layout.h"
#include "report/table_private.h"

#include <inttypes.h>
#include <string.h>

enum {
    SENTENCE = 24
}; /* texts that are longer wrap, and get a width that is worth it: names a smaller one */

/* Numbers stand right: every value of the column is one, or missing. */
static bool is_numeric(const struct table *t, int column)
{
    for (size_t row = 0; row < t->rows; row++)
        if (t->lines[row][column].type == CELL_TEXT)
            return false;
    return true;
}

/* What the HTML needs to know of a column. */
struct shown {
    bool is, numeric;
    int decimals;
};

static void write_head(const struct table *t, const struct shown *columns)
{
    fputs("<thead><tr>", t->out);
    for (int i = 0; i < t->count; i++) {
        if (!columns[i].is)
            continue;
        fprintf(t->out, "<th scope=\"col\"%s>", columns[i].numeric ? " class=\"number\"" : "");
        html_text(t->out, t->columns[i].title);
        fputs("</th>", t->out);
    }
    fputs("</tr></thead>\n", t->out);
}

static void write_cell(const struct table *t, const struct cell *c, int column, bool numeric, int decimals)
{
    char number[TABLE_NUMBER_TEXT];
    const bool link = c->type == CELL_INT && t->columns[column].flags & TABLE_VARIANT;
    const bool is_long = c->type == CELL_TEXT && strlen(c->text) > SENTENCE;
    fprintf(t->out, "<td%s>",
            numeric                ? " class=\"number\""
            : !is_long             ? ""
            : strchr(c->text, ' ') ? " class=\"sentence\""
                                   : " class=\"name\"");
    if (link)
        fprintf(t->out, "<a href=\"#variant-%" PRId64 "\">", c->i);
    if (c->type == CELL_TEXT)
        html_text(t->out, c->text);
    else
        html_text(t->out, table_number_text(c, decimals, number));
    fputs(link ? "</a></td>" : "</td>", t->out);
}

/* What all rows have in common, which no column says. */
static enum status write_shared(struct table *t, struct err *e)
{
    bool any = false;
    for (int i = 0; i < t->count; i++) {
        if (!table_layout_is_shared(t, i))
            continue;
        const char *value = table_cell_text(&t->arena, &t->lines[0][i], table_column_decimals(t, i));
        if (!value)
            return err_set(e, ST_NOMEM, "out of memory");
        fputs(any ? ", " : "<p class=\"note\">All rows: ", t->out);
        html_text(t->out, t->columns[i].title);
        fputc(' ', t->out);
        html_text(t->out, value);
        any = true;
    }
    fputs(any ? ".</p>\n" : "", t->out);
    return ST_OK;
}

enum status table_html_write(struct table *t, struct err *e)
{
    struct shown *columns = arena_alloc(&t->arena, (size_t)t->count, sizeof *columns);
    if (!columns)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < t->count; i++) {
        const int asked = t->columns[i].decimals;
        columns[i] = (struct shown){table_layout_has_column(t, i), is_numeric(t, i),
                                    asked > 0 ? asked : table_column_decimals(t, i)};
    }
    fputs("<table>\n", t->out);
    write_head(t, columns);
    fputs("<tbody>\n", t->out);
    for (size_t row = 0; row < t->rows; row++) {
        fputs("<tr>", t->out);
        for (int i = 0; i < t->count; i++)
            if (columns[i].is)
                write_cell(t, &t->lines[row][i], i, columns[i].numeric, columns[i].decimals);
        fputs("</tr>\n", t->out);
    }
    fputs("</tbody></table>\n", t->out);
    return write_shared(t, e);
}
