#include "cli/output.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"

int output_terminal_width(FILE *stream)
{
    struct winsize size;
    int fd = fileno(stream);
    if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

/* The words of a list, in indented lines. */
static void write_list(FILE *out, const char *list, int width)
{
    enum { INDENT = 4 };
    int column = width;
    while (*list) {
        const size_t n = strcspn(list, " ");
        char word[128];
        snprintf(word, sizeof word, "%.*s", (int)n, list);
        const int wide = table_text_width(word);
        const bool first = column + 1 + wide > width;
        fputs(first ? "\n" : " ", out);
        fprintf(out, "%*s", first ? INDENT : 0, "");
        column = (first ? INDENT : column + 1) + wide;
        table_print_escaped(out, word);
        list += n + (list[n] == ' ');
    }
}

void output_message(FILE *out, const char *text)
{
    static const char mark[] = "; allowed: ";
    const int width = output_terminal_width(out);
    const char *list = strstr(text, mark);
    char before[1024];
    if (!list || width < 40 || table_text_width(text) <= width ||
        (size_t)(list - text) >= sizeof before - 16 || strlen(list) < 100) {
        table_print_escaped(out, text);
        return;
    }
    snprintf(before, sizeof before, "%.*s; allowed:", (int)(list - text), text);
    table_print_escaped(out, before);
    write_list(out, list + strlen(mark), width);
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

static enum status write_section(const struct output *o, const struct section *s, int indent,
                                 const void *context, struct err *e)
{
    struct table t;
    enum status st = section_rows(o, s, indent, context, &t, e);
    if (st == ST_OK)
        st = table_finish(&t, e);
    table_release(&t);
    if (st == ST_OK && o->format == TABLE_TEXT && s->note)
        s->note(context, o->out);
    return st;
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
    enum status st = section_rows(o, s, 0, context, &t, e);
    bool shown = st == ST_OK && !(s->may_be_empty && t.rows == 0);
    if (shown) {
        if (!first)
            fputc('\n', o->out);
        if (s->heading)
            fprintf(o->out, "%s\n", s->heading);
        st = table_finish(&t, e);
    }
    table_release(&t);
    if (shown && s->note)
        s->note(context, o->out);
    return st;
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
        for (int i = 0; i < count; i++) {
            if (strcmp(sections[i].name, o->only) == 0)
                return output_single(o, &sections[i], context, e);
        }
        return unknown_section(o, sections, count, e);
    }
    if (o->format == TABLE_CSV)
        return output_single(o, &sections[main], context, e);
    if (o->format == TABLE_JSON)
        return write_json(o, sections, count, context, e);
    return write_text(o, sections, count, context, e);
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

enum status output_query(const struct output *o, struct store_query *q,
                         bool (*is_setting)(const char *column), struct err *e)
{
    int count = store_query_columns(q);
    struct table_column *columns = mem_calloc((size_t)count + 1, sizeof *columns);
    if (!columns)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < count; i++) {
        columns[i].name = store_query_column(q, i);
        columns[i].flags = is_setting && is_setting(columns[i].name) ? TABLE_VARYING : 0;
    }
    struct table t;
    enum status st = table_init(&t, o->out, o->format, columns, count, e);
    t.width = o->width;
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
