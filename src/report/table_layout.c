/* Text tables: column widths, groups, parts. */
#include "report/table_layout.h"

#include <ctype.h>
#include <string.h>

#include "report/utf8.h"

enum { SMALLEST_TEXT_COLUMN = 14 };

bool table_layout_has_column(const struct table *t, int column)
{
    const unsigned flags = t->columns[column].flags;
    const bool needed = !(flags & TABLE_VARYING) || (t->rows <= 1 && !(flags & TABLE_MINOR));
    if (!(flags & TABLE_NOT_TEXT) && flags & TABLE_OPTIONAL && t->rows > 0 &&
        t->lines[0][column].type == CELL_NULL)
        return table_column_varies(t, column);
    return !(flags & TABLE_NOT_TEXT) && (needed || table_column_varies(t, column));
}

bool table_layout_is_shared(const struct table *t, int column)
{
    return !(t->columns[column].flags & (TABLE_NOT_TEXT | TABLE_MINOR)) && t->rows > 0 &&
           t->lines[0][column].type != CELL_NULL && !table_layout_has_column(t, column);
}

static bool layout_allocate(struct table_layout *l, struct table *t)
{
    size_t n = (size_t)t->count;
    l->column = arena_alloc(&t->arena, n, sizeof *l->column);
    l->width = arena_alloc(&t->arena, n, sizeof *l->width);
    l->least = arena_alloc(&t->arena, n, sizeof *l->least);
    l->decimals = arena_alloc(&t->arena, n, sizeof *l->decimals);
    l->is_text = arena_alloc(&t->arena, n, sizeof *l->is_text);
    l->hidden = arena_alloc(&t->arena, n, sizeof *l->hidden);
    l->title = arena_alloc(&t->arena, n, sizeof *l->title);
    if (!l->column || !l->width || !l->least || !l->decimals || !l->is_text || !l->hidden || !l->title)
        return false;
    for (int i = 0; i < t->count; i++)
        if (table_layout_has_column(t, i))
            l->column[l->count++] = i;
    l->stride = l->count;
    l->body = arena_alloc(&t->arena, t->rows * (size_t)l->count + 1, sizeof *l->body);
    return l->body != NULL;
}

/* Formats everything and finds the natural widths. */
enum status table_layout_fill(struct table_layout *l, struct table *t, struct err *e)
{
    if (!layout_allocate(l, t))
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < l->count; i++) {
        const struct table_column *c = &t->columns[l->column[i]];
        l->decimals[i] = c->decimals > 0 ? c->decimals : table_column_decimals(t, l->column[i]);
        l->title[i] = table_escape(&t->arena, c->title);
        if (!l->title[i])
            return err_set(e, ST_NOMEM, "out of memory");
        l->width[i] = table_text_width(l->title[i]);
        for (size_t row = 0; row < t->rows; row++) {
            const struct cell *cell = &t->lines[row][l->column[i]];
            const char **above = row > 0 ? table_layout_cell(l, row - 1, i) : NULL;
            if (above && table_cells_equal(cell, &t->lines[row - 1][l->column[i]])) {
                *table_layout_cell(l, row, i) = *above;
                continue;
            }
            const char *text = table_cell_text(&t->arena, cell, l->decimals[i]);
            if (!text)
                return err_set(e, ST_NOMEM, "out of memory");
            *table_layout_cell(l, row, i) = text;
            l->is_text[i] |= cell->type == CELL_TEXT;
            int width = table_text_width(text);
            l->width[i] = width > l->width[i] ? width : l->width[i];
        }
    }
    return ST_OK;
}

/* Behind "_,;/", and behind the hyphen of a name, which is none of a number or a date. */
static bool breaks_after(const char *s, bool is_first)
{
    return (*s && strchr("_,;/", *s)) || (*s == '-' && !is_first && isalpha((unsigned char)s[1]));
}

/* Takes what fits into `width` columns, up to a space (which is dropped) or to where a word may break. */
struct table_piece table_layout_piece(const char *text, int width)
{
    struct table_piece whole = {0}, at_break = {0};
    for (const char *s = text; *s;) {
        int32_t code;
        int length = utf8_decode(s, &code);
        int columns = utf8_width(code);
        if (*s == ' ' && s > text)
            at_break = (struct table_piece){whole.bytes, whole.width, s + 1};
        if (whole.width + columns > width && s > text) {
            whole.rest = s;
            return at_break.bytes > 0 ? at_break : whole;
        }
        whole.bytes += (size_t)length;
        whole.width += columns;
        s += length;
        if (*s && breaks_after(s - 1, s - 1 == text))
            at_break = (struct table_piece){whole.bytes, whole.width, s};
    }
    return whole;
}

static int longest_word(const char *text)
{
    int longest = 0, width = 0;
    for (const char *s = text; *s;) {
        int32_t code;
        const bool is_space = *s == ' ', ends = is_space || breaks_after(s, s == text);
        s += utf8_decode(s, &code);
        width += is_space ? 0 : utf8_width(code);
        longest = width > longest ? width : longest;
        width = ends ? 0 : width;
    }
    return longest;
}

static int longest_word_of_column(const struct table_layout *l, const struct table *t, int column)
{
    int longest = longest_word(l->title[column]);
    for (size_t row = 0; row < t->rows; row++) {
        const int word = longest_word(*table_layout_cell(l, row, column));
        longest = word > longest ? word : longest;
    }
    return longest;
}

/* Begins the columns `by` later. */
static void layout_shift(struct table_layout *l, int by)
{
    l->count -= by;
    l->column += by;
    l->width += by;
    l->least += by;
    l->decimals += by;
    l->is_text += by;
    l->hidden += by;
    l->title += by;
    l->body += by;
}

static int total_width(const struct table_layout *l)
{
    int total = TABLE_GAP * (l->count - 1);
    for (int i = 0; i < l->count; i++)
        total += l->width[i];
    return total;
}

static int body_width(const struct table_layout *l, const struct table *t, int column)
{
    int widest = 1;
    for (size_t row = 0; row < t->rows; row++) {
        int width = table_text_width(*table_layout_cell(l, row, column));
        widest = width > widest ? width : widest;
    }
    return widest;
}

/* Widens columns from `first` on, so that headings stay whole where the line has room for it: the shortest
 * lack first. */
static void unbreak_headings(struct table_layout *l, int width, int first)
{
    int used = -TABLE_GAP;
    for (int i = 0; i < l->count; i++)
        used += l->hidden[i] ? 0 : TABLE_GAP + l->width[i];
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

/* Makes groups of the first column where it is a text that repeats the row above; takes them back. */
static void layout_group(struct table_layout *l, const struct table *t)
{
    bool repeats = false;
    for (size_t row = 1; row < t->rows && !repeats; row++)
        repeats = strcmp(*table_layout_cell(l, row - 1, 0), *table_layout_cell(l, row, 0)) == 0;
    l->grouped = repeats && l->is_text[0] && l->count > 2;
    layout_shift(l, l->grouped ? 1 : 0);
}

void table_layout_ungroup(struct table_layout *l)
{
    layout_shift(l, l->grouped ? -1 : 0);
    l->grouped = false;
}

/* Narrows texts, the widest first, none below its least width. False if that is not enough. */
static bool shrink_texts(struct table_layout *l, const struct table *t, const int *least)
{
    while (total_width(l) > t->width) {
        int widest = -1;
        for (int i = 0; i < l->count; i++)
            if (l->is_text[i] && l->width[i] > least[i] && (widest < 0 || l->width[i] > l->width[widest]))
                widest = i;
        if (widest < 0)
            return false;
        l->width[widest]--;
    }
    return true;
}

/* Wraps headings, then texts between words, then within words. False if the table cannot be made as narrow
 * as asked. */
bool table_layout_fit(struct table_layout *l, const struct table *t)
{
    if (t->width <= 0 || total_width(l) <= t->width)
        return true;
    layout_group(l, t);
    for (int i = 0; i < l->count; i++) {
        int title = longest_word(l->title[i]), body = body_width(l, t, i);
        l->width[i] = title > body ? title : body;
        int word = longest_word_of_column(l, t, i);
        l->least[i] = word > SMALLEST_TEXT_COLUMN ? word : SMALLEST_TEXT_COLUMN;
    }
    if (!shrink_texts(l, t, l->least)) {
        for (int i = 0; i < l->count; i++) {
            int title = longest_word(l->title[i]);
            l->least[i] = title > SMALLEST_TEXT_COLUMN ? title : SMALLEST_TEXT_COLUMN;
        }
        if (!shrink_texts(l, t, l->least))
            return false;
    }
    unbreak_headings(l, t->width, 0);
    return true;
}

static bool rows_differ(const struct table_layout *l, const struct table *t, int columns)
{
    for (size_t row = 1; row < t->rows; row++) {
        int same = 0;
        while (same < columns &&
               strcmp(*table_layout_cell(l, row - 1, same), *table_layout_cell(l, row, same)) == 0)
            same++;
        if (same == columns && !table_layout_starts_group(l, row))
            return false;
    }
    return true;
}

/* How many columns each part begins with: the first ones by which a row can be told from its neighbours,
 * where they leave half of the width to others; else the first. */
static int key_columns(const struct table_layout *l, const struct table *t)
{
    enum { MOST = 4 };
    int used = -TABLE_GAP;
    for (int n = 1; n <= MOST && n < l->count; n++) {
        used += TABLE_GAP + l->width[n - 1];
        if (used > t->width / 2)
            return 1;
        if (rows_differ(l, t, n))
            return n;
    }
    return 1;
}

static int keys_width(const struct table_layout *l)
{
    int used = -TABLE_GAP;
    for (int i = 0; i < l->keys; i++)
        used += TABLE_GAP + l->width[i];
    return used;
}

/* A table that cannot be made narrow enough comes in parts side by side, one below the other, each with the
 * columns that tell rows apart. Gives texts a third of the width; false if that does not help. */
bool table_layout_split(struct table_layout *l, const struct table *t)
{
    for (int i = 0; i < l->count; i++) {
        int title = longest_word(l->title[i]), body = body_width(l, t, i), most = t->width / 3;
        if (l->is_text[i] && body > most)
            body = most > SMALLEST_TEXT_COLUMN ? most : SMALLEST_TEXT_COLUMN;
        l->width[i] = title > body ? title : body;
    }
    l->keys = key_columns(l, t);
    for (int i = l->keys; i < l->count && l->keys > 1; i++)
        l->keys = keys_width(l) + TABLE_GAP + l->width[i] > t->width ? 1 : l->keys;
    for (int i = 1; i < l->count; i++)
        if (l->width[0] + TABLE_GAP + l->width[i] > t->width)
            return false;
    return t->rows > 1;
}

/* Shows the key columns and as many from `from` on as fit; returns the next one. */
int table_layout_show_part(struct table_layout *l, int width, int from)
{
    int used = keys_width(l), i = from;
    for (int k = l->keys; k < l->count; k++)
        l->hidden[k] = true;
    for (; i < l->count && used + TABLE_GAP + l->width[i] <= width; i++) {
        l->hidden[i] = false;
        used += TABLE_GAP + l->width[i];
    }
    unbreak_headings(l, width, l->keys);
    return i;
}
