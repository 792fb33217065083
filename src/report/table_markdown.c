/* Tables of GitHub-flavoured Markdown, with the columns of text tables. */
#include <ctype.h>
#include <string.h>

#include "report/table_layout.h"

/* Underscores within a word are no markup. */
static bool is_markup(const char *text, const char *s)
{
    const bool within = s > text && isalnum((unsigned char)s[-1]) && isalnum((unsigned char)s[1]);
    return *s == '_' ? !within : strchr("|\\*`[]", *s) != NULL;
}

/* What would end a cell or begin markup is escaped, line ends become <br>. */
static void write_escaped(FILE *out, const char *text)
{
    for (const char *s = text; *s; s++) {
        if (*s == '\n')
            fputs("<br>", out);
        else if (*s == '<' || *s == '&')
            fputs(*s == '<' ? "&lt;" : "&amp;", out);
        else if ((unsigned char)*s >= 0x20) {
            if (is_markup(text, s))
                fputc('\\', out);
            fputc(*s, out);
        }
    }
}

/* Headings, and the line below: numbers stand right. */
static void write_head(const struct table *t)
{
    for (int i = 0; i < t->count; i++) {
        if (!table_layout_has_column(t, i))
            continue;
        fputs("| ", t->out);
        write_escaped(t->out, t->columns[i].title);
        fputc(' ', t->out);
    }
    fputs("|\n", t->out);
    for (int i = 0; i < t->count; i++) {
        bool numeric = t->rows > 0;
        for (size_t row = 0; row < t->rows; row++)
            numeric &= t->lines[row][i].type != CELL_TEXT;
        if (table_layout_has_column(t, i))
            fputs(numeric ? "|---:" : "|---", t->out);
    }
    fputs("|\n", t->out);
}

static void write_cell(FILE *out, const struct cell *c, int decimals)
{
    char number[TABLE_NUMBER_TEXT];
    if (c->type == CELL_TEXT)
        write_escaped(out, c->text);
    else if (c->type != CELL_NULL)
        fputs(table_number_text(c, decimals, number), out);
}

enum status table_markdown_write(struct table *t, struct err *e)
{
    int *decimals = arena_alloc(&t->arena, (size_t)t->count + 1, sizeof *decimals);
    bool *shown = arena_alloc(&t->arena, (size_t)t->count + 1, sizeof *shown);
    if (!decimals || !shown)
        return err_set(e, ST_NOMEM, "out of memory");
    write_head(t);
    for (int i = 0; i < t->count; i++) {
        shown[i] = table_layout_has_column(t, i);
        decimals[i] = t->columns[i].decimals > 0 ? t->columns[i].decimals : table_column_decimals(t, i);
    }
    for (size_t row = 0; row < t->rows; row++) {
        for (int i = 0; i < t->count; i++) {
            if (!shown[i])
                continue;
            fputs("| ", t->out);
            write_cell(t->out, &t->lines[row][i], decimals[i]);
            fputc(' ', t->out);
        }
        fputs("|\n", t->out);
    }
    const enum status st = table_text_shared(t, true, e);
    if (st == ST_OK)
        table_text_note(t, true);
    return st;
}
