#include "report/figure.h"

#include "base/file.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "report/utf8.h"

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

void figure_init(struct figure *f)
{
    *f = (struct figure){.definitions = STRBUF_INIT};
    arena_init(&f->arena);
}

void figure_release(struct figure *f)
{
    arena_release(&f->arena);
    strbuf_release(&f->definitions);
    mem_free(f->rows);
    figure_init(f);
}

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot prepare a figure: out of memory");
}

enum status figure_row(struct figure *f, const struct cell *cells, struct err *e)
{
    if (f->row_count == f->row_capacity) {
        size_t capacity = f->row_capacity ? 2 * f->row_capacity : 32;
        struct cell **rows = mem_realloc(f->rows, capacity, sizeof(struct cell *));
        if (!rows)
            return no_memory(e);
        f->rows = rows;
        f->row_capacity = capacity;
    }
    struct cell *copy = arena_alloc(&f->arena, (size_t)f->column_count, sizeof *copy);
    if (!copy)
        return no_memory(e);
    for (int i = 0; i < f->column_count; i++) {
        copy[i] = cells[i];
        if (copy[i].type != CELL_TEXT)
            continue;
        copy[i].text = arena_strdup(&f->arena, cells[i].text);
        if (!copy[i].text)
            return no_memory(e);
    }
    f->rows[f->row_count++] = copy;
    return ST_OK;
}

static enum status write_data(const struct figure *f, FILE *out, struct err *e)
{
    struct table table;
    enum status status = table_init(&table, out, TABLE_CSV, f->columns, f->column_count, e);
    for (size_t i = 0; i < f->row_count && status == ST_OK; i++)
        status = table_row(&table, f->rows[i], e);
    if (status == ST_OK)
        status = table_finish(&table, e);
    table_release(&table);
    return status;
}

enum status figure_save_data(const struct figure *f, const char *path, struct err *e)
{
    struct atomic_file a;
    enum status status = atomic_open(&a, path, e);
    if (status != ST_OK)
        return status;
    status = write_data(f, a.f, e);
    if (status == ST_OK)
        return atomic_commit(&a, e);
    atomic_abort(&a);
    return status;
}

void figure_quote(struct strbuf *out, const char *text)
{
    strbuf_putc(out, '\'');
    for (const char *s = text; *s;) {
        int32_t code;
        int length = utf8_decode(s, &code);
        if (*s == '\'')
            strbuf_puts(out, "'.\"'\".'");
        else if (utf8_width(code) < 0)
            strbuf_puts(out, replacement);
        else
            strbuf_add(out, s, (size_t)length);
        s += length;
    }
    strbuf_putc(out, '\'');
}

static void put_number(struct strbuf *out, double v)
{
    char text[32];
    if (!isfinite(v)) {
        strbuf_puts(out, "NaN");
        return;
    }
    num_format_double(v, text);
    strbuf_puts(out, text);
    if (!strpbrk(text, ".e"))
        strbuf_puts(out, ".0");
}

void figure_number(struct figure *f, const char *name, double v)
{
    strbuf_printf(&f->definitions, "%s = ", name);
    put_number(&f->definitions, v);
    strbuf_putc(&f->definitions, '\n');
}

void figure_count(struct figure *f, const char *name, size_t v)
{
    strbuf_printf(&f->definitions, "%s = %zu\n", name, v);
}

void figure_text(struct figure *f, const char *name, const char *text)
{
    strbuf_printf(&f->definitions, "%s = ", name);
    figure_quote(&f->definitions, text);
    strbuf_putc(&f->definitions, '\n');
}

static void define_array(struct figure *f, const char *name, size_t n)
{
    strbuf_printf(&f->definitions, "array %s[%zu]\n", name, n > 0 ? n : 1);
    if (n == 0)
        strbuf_printf(&f->definitions, "%s[1] = ''\n", name);
}

void figure_numbers(struct figure *f, const char *name, const double *v, size_t n)
{
    define_array(f, name, n);
    for (size_t i = 0; i < n; i++) {
        strbuf_printf(&f->definitions, "%s[%zu] = ", name, i + 1);
        put_number(&f->definitions, v[i]);
        strbuf_putc(&f->definitions, '\n');
    }
}

void figure_texts(struct figure *f, const char *name, const char *const *texts, size_t n)
{
    define_array(f, name, n);
    for (size_t i = 0; i < n; i++) {
        strbuf_printf(&f->definitions, "%s[%zu] = ", name, i + 1);
        figure_quote(&f->definitions, texts[i]);
        strbuf_putc(&f->definitions, '\n');
    }
}

void figure_data(struct figure *f, size_t columns, const double *values, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < columns; k++) {
            put_number(&f->definitions, values[i * columns + k]);
            strbuf_putc(&f->definitions, k + 1 < columns ? ' ' : '\n');
        }
    }
}

const char *figure_axes_words(struct arena *arena, const char *json)
{
    const size_t n = strlen(json);
    char *out = arena_alloc(arena, 2 * n + 1, 1), *to = out;
    bool quoted = false;
    for (const char *s = json; out && *s; s++) {
        quoted = *s == '"' ? !quoted : quoted;
        if (*s == '"' || (!quoted && strchr("{} ", *s)))
            continue;
        if (!quoted && *s == ',') {
            *to++ = ',';
            *to++ = ' ';
        } else
            *to++ = !quoted && *s == ':' ? '=' : *s;
    }
    return out;
}
