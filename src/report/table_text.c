/* Text tables: writing what the layout says. */
#include <limits.h>
#include <string.h>

#include "report/table_layout.h"

enum { USUAL_WIDTH = 120 }; /* of lines of words, where there is no terminal */

/* One row, over as many lines as its longest cell takes. `rest` is used up. */
static void write_wrapped(const struct table_layout *l, const char **rest, FILE *out)
{
    bool more = true;
    while (more) {
        int pending = 0; /* blanks not written yet, so that no line ends in blanks */
        more = false;
        for (int i = 0; i < l->count; i++) {
            if (l->hidden[i])
                continue;
            struct table_piece p =
                rest[i] ? table_layout_piece(rest[i], l->width[i]) : (struct table_piece){0};
            int pad = l->width[i] - p.width;
            int before = l->is_text[i] ? 0 : pad;
            if (p.bytes > 0) {
                fprintf(out, "%*s", pending + before, "");
                fwrite(rest[i], 1, p.bytes, out);
                pending = pad - before;
            } else {
                pending += l->width[i];
            }
            pending += TABLE_GAP;
            rest[i] = p.rest;
            more |= p.rest != NULL;
        }
        fputc('\n', out);
    }
}

static void write_rule(const struct table_layout *l, FILE *out)
{
    for (int i = 0; i < l->count; i++) {
        if (l->hidden[i])
            continue;
        fprintf(out, "%*s", i > 0 ? TABLE_GAP : 0, "");
        for (int k = 0; k < l->width[i]; k++)
            fputc('-', out);
    }
    fputc('\n', out);
}

static void write_rows(const struct table_layout *l, const struct table *t, const char **rest)
{
    for (int i = 0; i < l->count; i++)
        rest[i] = l->title[i];
    write_wrapped(l, rest, t->out);
    write_rule(l, t->out);
    for (size_t row = 0; row < t->rows; row++) {
        if (table_layout_starts_group(l, row))
            fprintf(t->out, "%s%s: %s\n", row > 0 ? "\n" : "", l->title[-1], *table_layout_cell(l, row, -1));
        for (int i = 0; i < l->count; i++)
            rest[i] = *table_layout_cell(l, row, i);
        write_wrapped(l, rest, t->out);
    }
}

static void write_parts(struct table_layout *l, const struct table *t, const char **rest)
{
    for (int from = l->keys; from < l->count;) {
        if (from > l->keys)
            fputc('\n', t->out);
        from = table_layout_show_part(l, t->width, from);
        write_rows(l, t, rest);
    }
}

/* Each row as a list of titles and values. */
static void write_lists(const struct table_layout *l, const struct table *t)
{
    int widest = 0;
    for (int i = 0; i < l->count; i++) {
        int width = table_text_width(l->title[i]);
        widest = width > widest ? width : widest;
    }
    for (size_t row = 0; row < t->rows; row++) {
        if (!t->record)
            fprintf(t->out, "%s[%zu]\n", row > 0 ? "\n" : "", row + 1);
        for (int i = 0; i < l->count; i++) {
            int pad = widest - table_text_width(l->title[i]);
            fprintf(t->out, "%s%*s%s\n", l->title[i], pad + TABLE_GAP, "", *table_layout_cell(l, row, i));
        }
    }
}

enum status table_text_shared(struct table *t, bool one_line, struct err *e)
{
    static const char start[] = "All rows:";
    const int width_of_lines = one_line ? INT_MAX : t->width > 0 ? t->width : USUAL_WIDTH;
    int used = 0;
    for (int i = 0; i < t->count && t->rows > 0; i++) {
        if (!table_layout_is_shared(t, i))
            continue;
        const char *value = table_cell_text(&t->arena, &t->lines[0][i], table_column_decimals(t, i));
        const char *title = table_escape(&t->arena, t->columns[i].title);
        if (!value || !title)
            return err_set(e, ST_NOMEM, "out of memory");
        const int width = table_text_width(title) + 1 + table_text_width(value);
        if (used == 0)
            used = fprintf(t->out, "\n%s", start) - 1;
        else
            used += fprintf(t->out, ",");
        if (width >= width_of_lines - used - 1)
            used = fprintf(t->out, "\n%*s", (int)strlen(start), "") - 1;
        fprintf(t->out, " %s %s", title, value);
        used += 1 + width;
    }
    if (used > 0)
        fputc('\n', t->out);
    return ST_OK;
}

void table_text_note(const struct table *t, bool one_line)
{
    bool needed = t->note.text && t->rows > 0 && !t->note.column;
    for (int i = 0; i < t->count && t->note.column; i++)
        for (size_t row = 0; strcmp(t->columns[i].name, t->note.column) == 0 && row < t->rows; row++)
            needed |= t->lines[row][i].type == CELL_NULL;
    const int width = one_line ? INT_MAX : t->width > 0 ? t->width : USUAL_WIDTH;
    struct table_piece p = {.rest = needed ? t->note.text : NULL};
    if (needed)
        fputc('\n', t->out);
    for (const char *text; (text = p.rest);) {
        p = table_layout_piece(text, width);
        fprintf(t->out, "%.*s\n", (int)p.bytes, text);
    }
}

static void write_nothing(const struct table *t)
{
    fprintf(t->out, "(no rows%s", t->nothing ? ": " : "");
    table_print_escaped(t->out, t->nothing ? t->nothing : "");
    fputs(")\n", t->out);
}

enum status table_text_write(struct table *t, struct err *e)
{
    struct table_layout l = {0};
    if (t->rows == 0 && !t->record) {
        write_nothing(t);
        return ST_OK;
    }
    enum status st = table_layout_fill(&l, t, e);
    if (st != ST_OK)
        return st;
    const char **rest = arena_alloc(&t->arena, (size_t)t->count + 1, sizeof *rest);
    if (!rest)
        return err_set(e, ST_NOMEM, "out of memory");
    if (!t->record && table_layout_fit(&l, t))
        write_rows(&l, t, rest);
    else if (!t->record && table_layout_split(&l, t))
        write_parts(&l, t, rest);
    else {
        table_layout_ungroup(&l);
        write_lists(&l, t);
    }
    st = table_text_shared(t, false, e);
    if (st == ST_OK)
        table_text_note(t, false);
    return st;
}
