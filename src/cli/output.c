#include "cli/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "sweep/space_notes.h"

int output_terminal_width(FILE *stream)
{
    struct winsize size;
    int fd = fileno(stream);
    if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

void output_words(FILE *out, const char *text, int column, int hang, int width)
{
    bool first = true;
    while (*text) {
        const size_t n = strcspn(text, " ");
        char *word = mem_printf("%.*s", (int)n, text);
        const int wide = word ? table_text_width(word) : (int)n;
        if (!first && width > 0 && column + 1 + wide > width) {
            fprintf(out, "\n%*s", hang, "");
            column = hang;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        if (word)
            table_print_escaped(out, word);
        else /* out of memory may be what the text says */
            fwrite(text, 1, n, out);
        mem_free(word);
        column += wide;
        first = false;
        text += n + (text[n] == ' ');
    }
}

void output_message(FILE *out, const char *text, int column)
{
    enum { HANG = 4, NARROWEST = 40 };
    const int width = output_terminal_width(out);
    output_words(out, text, column, HANG, width >= NARROWEST ? width : 0);
}

enum status output_init(struct output *o, const struct args *a, struct err *e)
{
    *o =
        (struct output){.out = stdout, .width = output_terminal_width(stdout), .only = a->value[OPTION_ONLY]};
    const char *format = a->value[OPTION_FORMAT];
    if (format && !table_format_parse(format, &o->format))
        return err_set(e, ST_USAGE, "--format: \"%.40s\" is unknown, allowed are table, csv, json, markdown",
                       format);
    return ST_OK;
}

static enum status section_rows(const struct output *o, const struct section *s, int indent,
                                const void *context, struct table *t, struct err *e)
{
    enum status st = table_init(t, o->out, o->format, s->columns, s->count, e);
    t->width = o->width;
    t->indent = indent;
    t->record = s->record && !(s->across && o->format == TABLE_TEXT);
    return st == ST_OK ? s->rows(context, t, e) : st;
}

/* On a terminal, lines that are too long for it are broken between words. */
static enum status write_note(const struct output *o, const struct section *s, const void *context,
                              struct err *e)
{
    if (!s->note)
        return ST_OK;
    if (o->width == 0) {
        s->note(context, o->out);
        return ST_OK;
    }
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory)
        s->note(context, memory);
    if (!memory || fclose(memory) != 0) {
        free(text);
        return err_set(e, ST_NOMEM, "out of memory");
    }
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = '\0';
        if (table_text_width(line) > o->width)
            output_words(o->out, line, 0, 0, o->width);
        else
            fputs(line, o->out);
        fputc('\n', o->out);
    }
    free(text);
    return ST_OK;
}

static enum status write_section(const struct output *o, const struct section *s, int indent,
                                 const void *context, struct err *e)
{
    struct table t;
    enum status st = section_rows(o, s, indent, context, &t, e);
    if (st == ST_OK)
        st = table_finish(&t, e);
    table_release(&t);
    return st == ST_OK && o->format == TABLE_TEXT ? write_note(o, s, context, e) : st;
}

enum status output_single(const struct output *o, const struct section *s, const void *context, struct err *e)
{
    enum status st = write_section(o, s, 0, context, e);
    if (st == ST_OK && o->format == TABLE_JSON)
        fputc('\n', o->out);
    return st;
}

/* With its heading, and a blank line in front unless it is the first. */
static enum status write_text_section(const struct output *o, const struct section *s, bool first,
                                      const void *context, struct err *e)
{
    struct table t;
    char *rows = NULL; /* of Markdown, which come before it is known whether there are any */
    size_t size = 0;
    struct output into = *o;
    if (o->format == TABLE_MARKDOWN && !(into.out = open_memstream(&rows, &size)))
        return err_set(e, ST_NOMEM, "out of memory");
    enum status st = section_rows(&into, s, 0, context, &t, e);
    bool shown = st == ST_OK && !(s->may_be_empty && t.rows == 0);
    if (shown) {
        if (!first)
            fputc('\n', o->out);
        if (s->heading)
            fprintf(o->out, o->format == TABLE_MARKDOWN ? "**%s**\n\n" : "%s\n", s->heading);
        st = table_finish(&t, e);
    }
    table_release(&t);
    if (into.out != o->out) {
        fclose(into.out);
        if (shown)
            fputs(rows ? rows : "", o->out);
        free(rows);
    }
    return st == ST_OK && shown ? write_note(o, s, context, e) : st;
}

static enum status write_text(const struct output *o, const struct section *sections, int count,
                              const void *context, struct err *e)
{
    enum status st = ST_OK;
    for (int i = 0; i < count && st == ST_OK; i++)
        st = write_text_section(o, &sections[i], i == 0, context, e);
    return st;
}

static enum status write_json(const struct output *o, const struct section *sections, int count,
                              const void *context, struct err *e)
{
    enum status st = ST_OK;
    for (int i = 0; i < count && st == ST_OK; i++) {
        fputs(i > 0 ? ",\n  " : "{\n  ", o->out);
        table_json_string(o->out, sections[i].name);
        fputs(": ", o->out);
        st = write_section(o, &sections[i], 2, context, e);
    }
    fputs("\n}\n", o->out);
    return st;
}

static enum status unknown_section(const struct output *o, const struct section *sections, int count,
                                   struct err *e)
{
    char names[160] = "";
    for (int i = 0; i < count; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", sections[i].name);
    }
    return err_set(e, ST_USAGE, "--only: \"%.40s\" is unknown, allowed are %s", o->only, names);
}

enum status output_sections(const struct output *o, const struct section *sections, int count, int main,
                            const void *context, struct err *e)
{
    if (o->only) {
        for (int i = 0; i < count; i++)
            if (strcmp(sections[i].name, o->only) == 0)
                return output_single(o, &sections[i], context, e);
        return unknown_section(o, sections, count, e);
    }
    if (o->format == TABLE_CSV)
        return output_single(o, &sections[main], context, e);
    if (o->format == TABLE_JSON)
        return write_json(o, sections, count, context, e);
    return write_text(o, sections, count, context, e);
}

const struct table_column output_note_column = {.name = "note"};

enum status output_notes(const char *notes, struct table *t, struct err *e)
{
    char text[NOTE_TEXT];
    enum status st = ST_OK;
    while (st == ST_OK && space_note_next(&notes, text))
        st = table_row(t, (const struct cell[]){cell_text(text)}, e);
    return st;
}

static enum status query_rows(struct store_query *q, struct table *t, struct err *e)
{
    enum status st = ST_OK;
    struct cell *cells = arena_alloc(&t->arena, (size_t)t->count + 1, sizeof *cells);
    if (!cells)
        return err_set(e, ST_NOMEM, "out of memory");
    for (bool row = true; st == ST_OK && row;) {
        st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            break;
        for (int i = 0; i < t->count; i++)
            cells[i] = store_query_cell(q, i);
        st = table_row(t, cells, e);
        if (ferror(t->out)) /* nobody reads any more: output_flush says so */
            break;
    }
    return st;
}

enum status output_query_rows(struct store *store,
                              enum status (*open)(struct store *store, struct store_query **out,
                                                  struct err *e),
                              struct table *t, struct err *e)
{
    struct store_query *q = NULL;
    enum status st = open(store, &q, e);
    if (st == ST_OK)
        st = query_rows(q, t, e);
    store_query_close(q);
    return st;
}

enum status output_query(const struct output *o, struct store_query *q, const struct output_rows *rows,
                         struct err *e)
{
    int count = store_query_columns(q);
    struct table_column *columns = mem_calloc((size_t)count + 1, sizeof *columns);
    if (!columns)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < count; i++) {
        columns[i].name = store_query_column(q, i);
        columns[i].flags = rows->flags ? rows->flags(columns[i].name) : 0;
    }
    struct table t;
    enum status st = table_init(&t, o->out, o->format, columns, count, e);
    t.width = o->width;
    t.nothing = rows->nothing;
    t.note = rows->note;
    if (st == ST_OK)
        st = query_rows(q, &t, e);
    if (st == ST_OK)
        st = table_finish(&t, e);
    if (st == ST_OK && o->format == TABLE_JSON)
        fputc('\n', o->out);
    table_release(&t);
    mem_free(columns);
    return st;
}

enum status output_flush(struct err *e)
{
    if (fflush(stdout) != 0)
        return err_errno(e, "standard output");
    if (ferror(stdout)) /* an earlier write failed; why is no longer known */
        return err_set(e, ST_FAILED, "standard output: writing failed");
    return ST_OK;
}
