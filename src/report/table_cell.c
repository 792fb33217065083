/* A cell as text for people: escaping, widths, number of decimals. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "report/table_private.h"
#include "report/utf8.h"

enum { MAX_DECIMALS = 6, SCIENTIFIC = -1, SHORTEST = -2 };

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

char *table_escape(struct arena *a, const char *text)
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

/* Four significant digits of the largest value and two of the smallest, but no zeros that say nothing.
 * Settings are the same text in whatever rows they stand: the shortest that reads back. */
int table_column_decimals(const struct table *t, int column)
{
    double largest = 0, smallest = INFINITY;
    int exact = 0;
    if (t->columns[column].flags & (TABLE_VARYING | TABLE_EXACT))
        return SHORTEST;
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
    else if (c->type == CELL_REAL && decimals == SHORTEST && isfinite(c->r))
        num_format_double(c->r, out);
    else if (c->type == CELL_REAL && decimals < 0)
        snprintf(out, TABLE_NUMBER_TEXT, "%.4g", c->r);
    else if (c->type == CELL_REAL)
        snprintf(out, TABLE_NUMBER_TEXT, "%.*f", decimals, c->r);
    else
        return "-";
    /* "-0.00" is nothing, and nothing has no sign */
    return out[0] == '-' && strspn(out + 1, "0.") == strlen(out + 1) ? out + 1 : out;
}

const char *table_cell_text(struct arena *a, const struct cell *c, int decimals)
{
    char text[TABLE_NUMBER_TEXT];
    if (c->type == CELL_TEXT)
        return table_escape(a, c->text);
    if (c->type == CELL_NULL)
        return "-";
    return arena_strdup(a, table_number_text(c, decimals, text));
}
