/* Text tables: escaping, number of decimals, column widths, wrapping. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "report/table_private.h"
#include "report/utf8.h"

enum { GAP = 2, SMALLEST_TEXT_COLUMN = 14, MAX_DECIMALS = 6, SCIENTIFIC = -1 };

struct layout {
    int count;   /* visible columns */
    int keys;    /* of them, the first ones that every part has */
    int *column; /* index of each in the table */
    int *width;
    int *decimals;
    bool *is_text;      /* aligned left, may wrap */
    bool *hidden;       /* not in the part that is written now */
    const char **title; /* escaped */
    const char **body;  /* rows x count, escaped */
};

/* Escaping */

/* Appends the escaped form of one character to out (if not NULL); returns its width and length. */
static int escape_character(const char *s, int length, int32_t code, char *out, size_t *written)
{
    int width = utf8_width(code);
    if (width >= 0) {
        if (out)
            memcpy(out, s, (size_t)length);
        *written = (size_t)length;
        return width;
    }
    char text[16];
    if (code == '\n' || code == '\t' || code == '\r')
        snprintf(text, sizeof text, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
    else if (code < 0x80) /* also bytes that are not UTF-8 */
        snprintf(text, sizeof text, "\\x%02x", (unsigned)(unsigned char)*s);
    else
        snprintf(text, sizeof text, "\\u%04x", (unsigned)code);
    *written = strlen(text);
    if (out)
        memcpy(out, text, *written);
    return (int)*written;
}

int table_text_width(const char *text)
{
    int width = 0;
    for (const char *s = text; *s;) {
        int32_t code;
        size_t written;
        int length = utf8_decode(s, &code);
        width += escape_character(s, length, code, NULL, &written);
        s += length;
    }
    return width;
}

void table_print_escaped(FILE *out, const char *text)
{
    for (const char *s = text; *s;) {
        char escaped[16];
        int32_t code;
        size_t written;
        int length = utf8_decode(s, &code);
        escape_character(s, length, code, escaped, &written);
        fwrite(escaped, 1, written, out);
        s += length;
    }
}

static char *escape_text(struct arena *a, const char *text)
{
    char *out = arena_alloc(a, strlen(text) * 4 + 1, 1); /* "\xNN" for one byte is the worst case */
    if (!out)
        return NULL;
    size_t used = 0;
    for (const char *s = text; *s;) {
        int32_t code;
        size_t written;
        int length = utf8_decode(s, &code);
        escape_character(s, length, code, out + used, &written);
        used += written;
        s += length;
    }
    return out;
}

/* Numbers */

static int clamp_decimals(double d)
{
    return d < 0 ? 0 : d > MAX_DECIMALS ? MAX_DECIMALS : (int)d;
}

/* Decimals that show v completely, at most MAX_DECIMALS. */
static int exact_decimals(double v)
{
    char text[32];
    num_format_double(v, text);
    const char *point = strchr(text, '.');
    if (strchr(text, 'e'))
        return MAX_DECIMALS;
    return point ? clamp_decimals((double)strlen(point + 1)) : 0;
}

/* Four significant digits of the largest value and two of the smallest, but no zeros that say nothing. */
int table_column_decimals(const struct table *t, int column)
{
    double largest = 0, smallest = INFINITY;
    int exact = 0;
    for (size_t row = 0; row < t->rows; row++) {
        const struct cell *c = &t->lines[row][column];
        if (c->type != CELL_REAL || !isfinite(c->r) || c->r == 0)
            continue;
        double v = fabs(c->r);
        largest = fmax(largest, v);
        smallest = fmin(smallest, v);
        if (exact < MAX_DECIMALS && exact_decimals(v) > exact)
            exact = exact_decimals(v);
    }
    if (largest == 0)
        return 0;
    if (largest >= 1e15 || smallest < 1e-6)
        return SCIENTIFIC;
    int for_largest = clamp_decimals(3 - floor(log10(largest)));
    int for_smallest = clamp_decimals(1 - floor(log10(smallest)));
    int wanted = for_largest > for_smallest ? for_largest : for_smallest;
    return wanted < exact ? wanted : exact;
}

const char *table_number_text(const struct cell *c, int decimals, char out[TABLE_NUMBER_TEXT])
{
    if (c->type == CELL_INT)
        snprintf(out, TABLE_NUMBER_TEXT, "%" PRId64, c->i);
    else if (c->type == CELL_REAL && decimals == SCIENTIFIC)
        snprintf(out, TABLE_NUMBER_TEXT, "%.4g", c->r);
    else if (c->type == CELL_REAL)
        snprintf(out, TABLE_NUMBER_TEXT, "%.*f", decimals, c->r);
    else
        return "-";
    /* "-0.00" is nothing, and nothing has no sign */
    return out[0] == '-' && strspn(out + 1, "0.") == strlen(out + 1) ? out + 1 : out;
}

static const char *format_cell(struct arena *a, const struct cell *c, int decimals)
{
    char text[TABLE_NUMBER_TEXT];
    if (c->type == CELL_TEXT)
        return escape_text(a, c->text);
    if (c->type == CELL_NULL)
        return "-";
    return arena_strdup(a, table_number_text(c, decimals, text));
}

/* Layout */

static bool layout_allocate(struct layout *l, struct table *t)
{
    size_t n = (size_t)t->count;
    l->column = arena_alloc(&t->arena, n, sizeof *l->column);
    l->width = arena_alloc(&t->arena, n, sizeof *l->width);
    l->decimals = arena_alloc(&t->arena, n, sizeof *l->decimals);
    l->is_text = arena_alloc(&t->arena, n, sizeof *l->is_text);
    l->hidden = arena_alloc(&t->arena, n, sizeof *l->hidden);
    l->title = arena_alloc(&t->arena, n, sizeof *l->title);
    if (!l->column || !l->width || !l->decimals || !l->is_text || !l->hidden || !l->title)
        return false;
    for (int i = 0; i < t->count; i++) {
        if (!(t->columns[i].flags & TABLE_NOT_TEXT))
            l->column[l->count++] = i;
    }
    l->body = arena_alloc(&t->arena, t->rows * (size_t)l->count + 1, sizeof *l->body);
    return l->body != NULL;
}

/* Formats everything and finds the natural widths. */
static enum status layout_fill(struct layout *l, struct table *t, struct err *e)
{
    if (!layout_allocate(l, t))
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < l->count; i++) {
        const struct table_column *c = &t->columns[l->column[i]];
        l->decimals[i] = c->decimals > 0 ? c->decimals : table_column_decimals(t, l->column[i]);
        l->title[i] = escape_text(&t->arena, c->title);
        if (!l->title[i])
            return err_set(e, ST_NOMEM, "out of memory");
        l->width[i] = table_text_width(l->title[i]);
        for (size_t row = 0; row < t->rows; row++) {
            const struct cell *cell = &t->lines[row][l->column[i]];
            const char *text = format_cell(&t->arena, cell, l->decimals[i]);
            if (!text)
                return err_set(e, ST_NOMEM, "out of memory");
            l->body[row * (size_t)l->count + (size_t)i] = text;
            l->is_text[i] |= cell->type == CELL_TEXT;
            int width = table_text_width(text);
            l->width[i] = width > l->width[i] ? width : l->width[i];
        }
    }
    return ST_OK;
}

/* A line's worth of a longer text. */
struct piece {
    size_t bytes;
    int width;
    const char *rest; /* what follows, NULL at the end */
};

static bool breaks_after(char c)
{
    return c == '_' || c == ',' || c == ';' || c == '/';
}

/* Takes what fits into `width` columns, up to a space (which is dropped) or behind one of "_,;/" if possible.
 */
static struct piece piece_take(const char *text, int width)
{
    struct piece whole = {0}, at_break = {0};
    for (const char *s = text; *s;) {
        int32_t code;
        int length = utf8_decode(s, &code);
        int columns = utf8_width(code);
        if (*s == ' ' && s > text)
            at_break = (struct piece){whole.bytes, whole.width, s + 1};
        if (whole.width + columns > width && s > text) {
            whole.rest = s;
            return at_break.bytes > 0 ? at_break : whole;
        }
        whole.bytes += (size_t)length;
        whole.width += columns;
        s += length;
        if (breaks_after(s[-1]) && *s)
            at_break = (struct piece){whole.bytes, whole.width, s};
    }
    return whole;
}

static int longest_word(const char *text)
{
    int longest = 0;
    for (const char *s = text; s;) {
        const char *end = s;
        while (*end && *end != ' ' && !breaks_after(*end))
            end++;
        size_t bytes = (size_t)(end - s) + (breaks_after(*end) ? 1 : 0);
        int width = 0;
        for (const char *p = s; p < s + bytes;) {
            int32_t code;
            p += utf8_decode(p, &code);
            width += utf8_width(code);
        }
        longest = width > longest ? width : longest;
        s = *end ? end + 1 : NULL;
    }
    return longest;
}

static int total_width(const struct layout *l)
{
    int total = GAP * (l->count - 1);
    for (int i = 0; i < l->count; i++)
        total += l->width[i];
    return total;
}

static int body_width(const struct layout *l, const struct table *t, int column)
{
    int widest = 1;
    for (size_t row = 0; row < t->rows; row++) {
        int width = table_text_width(l->body[row * (size_t)l->count + (size_t)column]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

/* Widens columns from `first` on, so that headings stay whole where the line has room for it: the shortest
 * lack first. */
static void unbreak_headings(struct layout *l, int width, int first)
{
    int used = -GAP;
    for (int i = 0; i < l->count; i++)
        used += l->hidden[i] ? 0 : GAP + l->width[i];
    for (int lack = 1; lack <= width - used; lack++) {
        for (int i = first; i < l->count; i++) {
            if (!l->hidden[i] && table_text_width(l->title[i]) - l->width[i] == lack &&
                used + lack <= width) {
                l->width[i] += lack;
                used += lack;
            }
        }
    }
}

/* Wraps headings, then texts. False if the table cannot be made as narrow as asked. */
static bool layout_fit(struct layout *l, const struct table *t)
{
    if (t->width <= 0 || total_width(l) <= t->width)
        return true;
    for (int i = 0; i < l->count; i++) {
        int title = longest_word(l->title[i]), body = body_width(l, t, i);
        l->width[i] = title > body ? title : body;
    }
    while (total_width(l) > t->width) {
        int widest = -1;
        for (int i = 0; i < l->count; i++) {
            bool shrinks = l->is_text[i] && l->width[i] > SMALLEST_TEXT_COLUMN &&
                           l->width[i] > longest_word(l->title[i]);
            if (shrinks && (widest < 0 || l->width[i] > l->width[widest]))
                widest = i;
        }
        if (widest < 0)
            return false;
        l->width[widest]--;
    }
    unbreak_headings(l, t->width, 0);
    return true;
}

static bool rows_differ(const struct layout *l, const struct table *t, int columns)
{
    for (size_t row = 1; row < t->rows; row++) {
        const char *const *a = &l->body[(row - 1) * (size_t)l->count], *const *b = a + l->count;
        int same = 0;
        while (same < columns && strcmp(a[same], b[same]) == 0)
            same++;
        if (same == columns)
            return false;
    }
    return true;
}

/* How many columns each part begins with: the first ones by which a row can be told from its neighbours,
 * where they leave half of the width to others; else the first. */
static int key_columns(const struct layout *l, const struct table *t)
{
    enum { MOST = 4 };
    int used = -GAP;
    for (int n = 1; n <= MOST && n < l->count; n++) {
        used += GAP + l->width[n - 1];
        if (used > t->width / 2)
            return 1;
        if (rows_differ(l, t, n))
            return n;
    }
    return 1;
}

static int keys_width(const struct layout *l)
{
    int used = -GAP;
    for (int i = 0; i < l->keys; i++)
        used += GAP + l->width[i];
    return used;
}

/* A table that cannot be made narrow enough comes in parts side by side, one below the other, each with the
 * columns that tell rows apart. Gives texts a third of the width; false if that does not help. */
static bool layout_split(struct layout *l, const struct table *t)
{
    for (int i = 0; i < l->count; i++) {
        int title = longest_word(l->title[i]), body = body_width(l, t, i), most = t->width / 3;
        if (l->is_text[i] && body > most)
            body = most > SMALLEST_TEXT_COLUMN ? most : SMALLEST_TEXT_COLUMN;
        l->width[i] = title > body ? title : body;
    }
    l->keys = key_columns(l, t);
    for (int i = l->keys; i < l->count && l->keys > 1; i++)
        l->keys = keys_width(l) + GAP + l->width[i] > t->width ? 1 : l->keys;
    for (int i = 1; i < l->count; i++) {
        if (l->width[0] + GAP + l->width[i] > t->width)
            return false;
    }
    return t->rows > 1;
}

/* Shows the key columns and as many from `from` on as fit; returns the next one. */
static int layout_show_part(struct layout *l, int width, int from)
{
    int used = keys_width(l), i = from;
    for (int k = l->keys; k < l->count; k++)
        l->hidden[k] = true;
    for (; i < l->count && used + GAP + l->width[i] <= width; i++) {
        l->hidden[i] = false;
        used += GAP + l->width[i];
    }
    unbreak_headings(l, width, l->keys);
    return i;
}

/* Output */

/* One row, over as many lines as its longest cell takes. `rest` is used up. */
static void write_wrapped(const struct layout *l, const char **rest, FILE *out)
{
    bool more = true;
    while (more) {
        int pending = 0; /* blanks not written yet, so that no line ends in blanks */
        more = false;
        for (int i = 0; i < l->count; i++) {
            if (l->hidden[i])
                continue;
            struct piece p = rest[i] ? piece_take(rest[i], l->width[i]) : (struct piece){0};
            int pad = l->width[i] - p.width;
            int before = l->is_text[i] ? 0 : pad;
            if (p.bytes > 0) {
                fprintf(out, "%*s", pending + before, "");
                fwrite(rest[i], 1, p.bytes, out);
                pending = pad - before;
            } else {
                pending += l->width[i];
            }
            pending += GAP;
            rest[i] = p.rest;
            more |= p.rest != NULL;
        }
        fputc('\n', out);
    }
}

static void write_rule(const struct layout *l, FILE *out)
{
    for (int i = 0; i < l->count; i++) {
        if (l->hidden[i])
            continue;
        fprintf(out, "%*s", i > 0 ? GAP : 0, "");
        for (int k = 0; k < l->width[i]; k++)
            fputc('-', out);
    }
    fputc('\n', out);
}

static void write_rows(const struct layout *l, const struct table *t, const char **rest)
{
    for (int i = 0; i < l->count; i++)
        rest[i] = l->title[i];
    write_wrapped(l, rest, t->out);
    write_rule(l, t->out);
    for (size_t row = 0; row < t->rows; row++) {
        for (int i = 0; i < l->count; i++)
            rest[i] = l->body[row * (size_t)l->count + (size_t)i];
        write_wrapped(l, rest, t->out);
    }
    if (t->rows == 0)
        fputs("(no rows)\n", t->out);
}

static void write_parts(struct layout *l, const struct table *t, const char **rest)
{
    for (int from = l->keys; from < l->count;) {
        if (from > l->keys)
            fputc('\n', t->out);
        from = layout_show_part(l, t->width, from);
        write_rows(l, t, rest);
    }
}

/* Each row as a list of titles and values. */
static void write_lists(const struct layout *l, const struct table *t)
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
            fprintf(t->out, "%s%*s%s\n", l->title[i], pad + GAP, "",
                    l->body[row * (size_t)l->count + (size_t)i]);
        }
    }
}

enum status table_text_write(struct table *t, struct err *e)
{
    struct layout l = {0};
    enum status st = layout_fill(&l, t, e);
    if (st != ST_OK)
        return st;
    const char **rest = arena_alloc(&t->arena, (size_t)t->count + 1, sizeof *rest);
    if (!rest)
        return err_set(e, ST_NOMEM, "out of memory");
    if (!t->record && layout_fit(&l, t))
        write_rows(&l, t, rest);
    else if (!t->record && layout_split(&l, t))
        write_parts(&l, t, rest);
    else
        write_lists(&l, t);
    return ST_OK;
}
