#include "report/table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "report/table_private.h"
#include "report/utf8.h"

static const char *const format_names[TABLE_FORMAT_COUNT] = {"table", "csv", "json", "markdown"};

const char *table_format_name(enum table_format f)
{
    return format_names[f];
}

bool table_format_parse(const char *text, enum table_format *out)
{
    for (int i = 0; i < TABLE_FORMAT_COUNT; i++) {
        if (strcmp(text, format_names[i]) == 0) {
            *out = (enum table_format)i;
            return true;
        }
    }
    return false;
}

enum status table_init(struct table *t, FILE *out, enum table_format format,
                       const struct table_column *columns, int count, struct err *e)
{
    *t = (struct table){.out = out, .format = format, .count = count, .terminal = isatty(fileno(out)) == 1};
    arena_init(&t->arena);
    t->columns = arena_alloc(&t->arena, (size_t)count, sizeof *columns);
    t->numbers = arena_alloc(&t->arena, (size_t)count + 1, sizeof *t->numbers);
    if (!t->columns || !t->numbers)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < count; i++) {
        t->numbers[i].text[0] = '\0';
        struct table_column *c = &t->columns[i];
        *c = columns[i];
        c->name = arena_strdup(&t->arena, c->name);
        c->title = c->title ? arena_strdup(&t->arena, c->title) : c->name;
        if (!c->name || !c->title)
            return err_set(e, ST_NOMEM, "out of memory");
    }
    return ST_OK;
}

void table_release(struct table *t)
{
    arena_release(&t->arena);
    mem_free(t->lines);
    *t = (struct table){0};
}

/* CSV: RFC 4180 quoting, lines end with LF. */

/* On a terminal: quoted, and escaped as in a text table, for people to read. */
static void csv_shown(FILE *out, const char *text)
{
    bool quote = text[0] == '\0' || strpbrk(text, ",\"\r\n");
    if (quote)
        fputc('"', out);
    for (const char *s = text; *s;) {
        char character[8] = "";
        int32_t code;
        int length = utf8_decode(s, &code);
        memcpy(character, s, (size_t)length);
        if (*s == '"')
            fputc('"', out);
        table_print_escaped(out, character);
        s += length;
    }
    if (quote)
        fputc('"', out);
}

static void csv_text(FILE *out, bool terminal, const char *text)
{
    size_t n = strlen(text);
    if (terminal) {
        csv_shown(out, text);
        return;
    }
    /* An empty text is quoted, so that it differs from NULL; blanks at the ends, so that readers keep them.
     */
    bool quote = n == 0 || text[0] == ' ' || text[n - 1] == ' ' || strpbrk(text, ",\"\r\n");
    if (!quote) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *s = text; *s; s++) {
        if (*s == '"')
            fputc('"', out);
        fputc(*s, out);
    }
    fputc('"', out);
}

static const char *finite_text(struct table_number *last, double v)
{
    if (last->text[0] == '\0' || last->value != v || v == 0) { /* 0 and -0 are equal */
        last->value = v;
        num_format_double(v, last->text);
    }
    return last->text;
}

static void csv_real(FILE *out, struct table_number *last, double v)
{
    if (isnan(v))
        fputs("NaN", out);
    else if (isinf(v))
        fputs(v > 0 ? "Inf" : "-Inf", out);
    else
        fputs(finite_text(last, v), out);
}

static void csv_cell(const struct table *t, int column, const struct cell *c)
{
    if (c->type == CELL_INT)
        fprintf(t->out, "%" PRId64, c->i);
    else if (c->type == CELL_REAL)
        csv_real(t->out, &t->numbers[column], c->r);
    else if (c->type == CELL_TEXT)
        csv_text(t->out, t->terminal, c->text);
}

/* The heading when `cells` is NULL. */
static void csv_row(const struct table *t, const struct cell *cells)
{
    bool first = true;
    for (int i = 0; i < t->count; i++) {
        if (t->columns[i].flags & TABLE_NOT_CSV)
            continue;
        if (!first)
            fputc(',', t->out);
        first = false;
        if (cells)
            csv_cell(t, i, &cells[i]);
        else
            csv_text(t->out, t->terminal, t->columns[i].name);
    }
    fputc('\n', t->out);
}

/* JSON: an array with one object per line, or one object. */

void table_json_string(FILE *out, const char *text)
{
    static const char named[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    fputc('"', out);
    for (const char *s = text; *s;) {
        int32_t code;
        int length = utf8_decode(s, &code);
        const char *found = code > 0 && code < 0x80 ? strchr(named, (int)code) : NULL;
        if (found)
            fprintf(out, "\\%c", letters[found - named]);
        else if (code < 0)
            fputs("\xEF\xBF\xBD", out);
        else if (code < 0x10000 && utf8_width(code) < 0)
            fprintf(out, "\\u%04x", (unsigned)code);
        else
            fwrite(s, 1, (size_t)length, out);
        s += length;
    }
    fputc('"', out);
}

static void json_cell(const struct table *t, int column, const struct cell *c)
{
    FILE *out = t->out;
    if (c->type == CELL_INT)
        fprintf(out, "%" PRId64, c->i);
    else if (c->type == CELL_REAL && isfinite(c->r))
        fputs(finite_text(&t->numbers[column], c->r), out);
    else if (c->type == CELL_TEXT && t->columns[column].flags & TABLE_JSON_VALUE)
        fputs(c->text, out);
    else if (c->type == CELL_TEXT)
        table_json_string(out, c->text);
    else
        fputs("null", out);
}

static void json_object(const struct table *t, const struct cell *cells)
{
    bool first = true;
    fputc('{', t->out);
    for (int i = 0; i < t->count; i++) {
        if (t->columns[i].flags & TABLE_NOT_JSON)
            continue;
        if (!first)
            fputs(", ", t->out);
        first = false;
        table_json_string(t->out, t->columns[i].name);
        fputs(": ", t->out);
        json_cell(t, i, &cells[i]);
    }
    fputc('}', t->out);
}

static void json_row(const struct table *t, const struct cell *cells)
{
    if (!t->record)
        fprintf(t->out, "%s\n%*s", t->rows == 0 ? "[" : ",", t->indent + 2, "");
    json_object(t, cells);
}

/* Text, Markdown and HTML tables keep their rows until the end. */

bool table_cells_equal(const struct cell *a, const struct cell *b)
{
    if (a->type != b->type)
        return false;
    return a->type == CELL_TEXT   ? a->text == b->text || strcmp(a->text, b->text) == 0
           : a->type == CELL_INT  ? a->i == b->i
           : a->type == CELL_REAL ? a->r == b->r
                                  : true;
}

bool table_column_varies(const struct table *t, int column)
{
    for (size_t row = 1; row < t->rows; row++)
        if (!table_cells_equal(&t->lines[row][column], &t->lines[0][column]))
            return true;
    return false;
}

static enum status text_row(struct table *t, const struct cell *cells, struct err *e)
{
    if (t->rows == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 64;
        struct cell **lines = mem_realloc(t->lines, capacity, sizeof(struct cell *));
        if (!lines)
            return err_set(e, ST_NOMEM, "out of memory");
        t->lines = lines;
        t->capacity = capacity;
    }
    struct cell *copy = arena_alloc(&t->arena, (size_t)t->count, sizeof *copy);
    if (!copy)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < t->count; i++) {
        copy[i] = cells[i];
        if (copy[i].type != CELL_TEXT)
            continue;
        const struct cell *above = t->rows > 0 ? &t->lines[t->rows - 1][i] : NULL;
        const bool repeats =
            above && table_cells_equal(above, &cells[i]); /* as settings mostly do: one copy */
        copy[i].text = repeats ? above->text : arena_strdup(&t->arena, cells[i].text);
        if (!copy[i].text)
            return err_set(e, ST_NOMEM, "out of memory");
    }
    t->lines[t->rows] = copy;
    return ST_OK;
}

enum status table_row(struct table *t, const struct cell *cells, struct err *e)
{
    enum status st = ST_OK;
    if (t->sink)
        return t->sink(t->sink_context, cells, e);
    if (t->format == TABLE_CSV && t->rows == 0)
        csv_row(t, NULL);
    if (t->format == TABLE_CSV)
        csv_row(t, cells);
    else if (t->format == TABLE_JSON)
        json_row(t, cells);
    else
        st = text_row(t, cells, e);
    if (st == ST_OK)
        t->rows++;
    return st;
}

enum status table_finish(struct table *t, struct err *e)
{
    if (t->format == TABLE_TEXT)
        return table_text_write(t, e);
    if (t->format == TABLE_MARKDOWN)
        return table_markdown_write(t, e);
    if (t->format == TABLE_HTML)
        return table_html_write(t, e);
    if (t->format == TABLE_CSV && t->rows == 0)
        csv_row(t, NULL);
    if (t->format == TABLE_JSON && t->record && t->rows == 0)
        fputs("null", t->out);
    if (t->format == TABLE_JSON && !t->record && t->rows == 0)
        fputs("[]", t->out);
    if (t->format == TABLE_JSON && !t->record && t->rows > 0)
        fprintf(t->out, "\n%*s]", t->indent, "");
    return ST_OK;
}
