#include "report/layout.h"

#include <math.h>
#include <string.h>

#include "report/utf8.h"

static const char ellipsis[] = "\xE2\x80\xA6";

/* Pixels. */
enum {
    TITLE_FONT = 16,
    NOTE_FONT = 11,
    TEXT_FONT = 13,
    LEGEND_FONT = 12,
    TITLE_Y = 26, /* middle of the title, from the top */
    NOTE_STEP = 18,
    LEFT_MARGIN = 80,
    RIGHT_MARGIN = 24,
    BOTTOM_MARGIN = 58,
    ROW_HEIGHT = 17,  /* of tick labels */
    ROW_OFFSET = 14,  /* middle of the first row, from the axis */
    TICK_WIDTH = 190, /* longest tick label */
    TICK_GAP = 8,
    TICK_ROWS = 3,
    TICK_STACKED = 12,  /* more ticks than these get a single row of labels */
    LEGEND_WIDTH = 200, /* longest entry */
    LEGEND_SAMPLE = 44, /* line sample and the gaps around it */
    LEGEND_ALL = 12,
    LEGEND_BEST = 8,
};

/* Widths in parts of the font size: of common sans-serif fonts' (DejaVu Sans is a wide one). */
static double glyph_width(const char *s, int length, int32_t code)
{
    if (length > 1 || code < 0)
        return code < 0 ? 1 : 0.65 * utf8_width(code);
    if (strchr("ijl.,:;'|!()[] ft/", *s))
        return 0.4;
    if (strchr("mwMW@%", *s))
        return 0.95;
    return *s >= 'A' && *s <= 'Z' ? 0.72 : 0.63;
}

double text_pixels(const char *text, double font_size)
{
    double width = 0;
    for (const char *s = text; *s;) {
        int32_t code;
        int length = utf8_decode(s, &code);
        width += glyph_width(s, length, code);
        s += length;
    }
    return width * font_size;
}

const char *text_cut(struct arena *arena, const char *text, double font_size, double pixels)
{
    if (text_pixels(text, font_size) <= pixels)
        return text;
    double width = font_size; /* of the ellipsis */
    const char *s = text;
    while (*s) {
        int32_t code;
        int length = utf8_decode(s, &code);
        width += glyph_width(s, length, code) * font_size;
        if (width > pixels)
            break;
        s += length;
    }
    return arena_printf(arena, "%.*s%s", (int)(s - text), text, ellipsis);
}

static struct range log_range(double low, double high)
{
    double room = pow(high / low, 0.05);
    return (struct range){low / room, high * room, true};
}

struct range range_around(double low, double high, enum range_kind kind, bool may_log)
{
    if (may_log && low > 0 && high / low >= 100)
        return log_range(low, high);
    double size = fmax(fabs(low), fabs(high));
    double least = kind == RANGE_PERCENT ? 1 : low < high ? 0.02 * size : size > 0 ? 0.2 * size : 1;
    double span = fmax(high - low, least);
    double middle = (low + high) / 2;
    double room = 0.06 * span;
    struct range r = {middle - span / 2 - room, middle + span / 2 + room, false};
    /* A little beyond 0 and 100 %, so that points do not sit on the frame; too little for a tick. */
    if (kind == RANGE_PERCENT) {
        r.low = fmax(r.low, -room);
        r.high = fmin(r.high, 100 + room);
    } else if (low >= 0)
        r.low = fmax(r.low, 0);
    return r;
}

double range_fraction(const struct range *r, double v)
{
    if (r->log)
        return log(v / r->low) / log(r->high / r->low);
    return (v - r->low) / (r->high - r->low);
}

struct placed {
    const double *fractions;
    const double *half;
    const int *row;
    size_t n;
};

static bool collides(const struct placed *p, size_t i, int row)
{
    for (size_t k = 0; k < p->n; k++)
        if (k != i && p->row[k] == row && fabs(p->fractions[k] - p->fractions[i]) < p->half[k] + p->half[i])
            return true;
    return false;
}

int labels_place(const double *fractions, const double *half_widths, size_t n, int max_rows, int *row)
{
    struct placed placed = {fractions, half_widths, row, n};
    for (size_t i = 0; i < n; i++)
        row[i] = -1;
    int used = 0;
    for (size_t k = 0; k < n; k++) {
        size_t i = k == 0 ? 0 : k == 1 ? n - 1 : k - 1; /* first, last, the rest in order */
        int candidate = 0;
        while (candidate < max_rows && collides(&placed, i, candidate))
            candidate++;
        if (candidate == max_rows)
            continue;
        row[i] = candidate;
        used = candidate >= used ? candidate + 1 : used;
    }
    return used;
}

/* Lines that are better than line i, or as good and earlier. */
static size_t lines_before(const double *merit, size_t n, size_t i)
{
    size_t before = 0;
    for (size_t k = 0; k < n; k++) {
        bool earlier = k < i;
        if (isnan(merit[k]))
            before += earlier && isnan(merit[i]);
        else
            before += isnan(merit[i]) || merit[k] > merit[i] || (earlier && merit[k] == merit[i]);
    }
    return before;
}

size_t legend_choose(const double *merit, size_t n, size_t *order)
{
    size_t named = 0, rest = n > LEGEND_ALL ? LEGEND_BEST : n;
    for (size_t i = 0; i < n; i++) {
        if (n <= LEGEND_ALL || lines_before(merit, n, i) < LEGEND_BEST)
            order[named++] = i;
        else
            order[rest++] = i;
    }
    return named;
}

/* The plot's frame, pixels from the left and from the top. */
struct frame {
    double left, right, top, bottom;
};

static double legend_width(const struct layout *l)
{
    if (l->legend_count == 0)
        return 0;
    double width = text_pixels(l->legend_title, LEGEND_FONT);
    for (size_t i = 0; i < l->legend_count; i++)
        width = fmax(width, text_pixels(l->legend[i], LEGEND_FONT) + LEGEND_SAMPLE);
    return fmin(width, LEGEND_WIDTH + LEGEND_SAMPLE);
}

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot lay out a figure: out of memory");
}

static void define_cut(struct figure *f, const char *name, const char *text, double font_size, double pixels)
{
    const char *cut = text_cut(&f->arena, text, font_size, pixels);
    if (cut)
        figure_text(f, name, cut);
    else
        f->definitions.failed = true;
}

/* Cut texts as an array. */
static enum status define_texts(struct figure *f, const char *name, const char *const *texts, size_t n,
                                double font_size, double pixels, struct err *e)
{
    const char **cut = arena_alloc(&f->arena, n + 1, sizeof *cut);
    if (!cut)
        return no_memory(e);
    for (size_t i = 0; i < n; i++) {
        cut[i] = text_cut(&f->arena, texts[i], font_size, pixels);
        if (!cut[i])
            return no_memory(e);
    }
    figure_texts(f, name, cut, n);
    return ST_OK;
}

/* Cuts tick labels that would leave the canvas or reach into the legend. */
static enum status cut_ticks(const struct layout *l, const struct frame *frame, struct figure *f, size_t n,
                             const char **texts, struct err *e)
{
    enum { EDGE = 4 };
    double right_edge = l->legend_count > 0 ? frame->right + EDGE : FIGURE_WIDTH - EDGE;
    for (size_t i = 0; i < n; i++) {
        double place = frame->left + range_fraction(&l->x, l->ticks.x[i]) * (frame->right - frame->left);
        double room = 2 * fmin(place - EDGE, right_edge - place);
        texts[i] = text_cut(&f->arena, l->ticks.texts[i], TEXT_FONT, fmin(fmax(room, TEXT_FONT), TICK_WIDTH));
        if (!texts[i])
            return no_memory(e);
    }
    return ST_OK;
}

/* Finds rows for the tick labels and moves the frame's edge to make room for them. scratch: 2 n. */
static void place_ticks(const struct layout *l, size_t n, const char *const *texts, struct frame *frame,
                        double *scratch, int *row)
{
    double *fraction = scratch, *half = scratch + n;
    for (size_t i = 0; i < n; i++) {
        double pixels = text_pixels(texts[i], TEXT_FONT) + TICK_GAP;
        fraction[i] = range_fraction(&l->x, l->ticks.x[i]);
        half[i] = pixels / 2 / (frame->right - frame->left);
    }
    int rows = labels_place(fraction, half, n, n > TICK_STACKED ? 1 : TICK_ROWS, row);
    if (l->ticks.above)
        frame->top += rows * ROW_HEIGHT;
    else if (rows > 1)
        frame->bottom -= (rows - 1) * ROW_HEIGHT;
}

static enum status define_ticks(const struct layout *l, struct frame *frame, struct figure *f, struct err *e)
{
    const struct ticks *t = &l->ticks;
    size_t n = t->title ? t->count : 0;
    double *y = arena_alloc(&f->arena, 2 * n + 1, sizeof *y);
    int *row = arena_alloc(&f->arena, n + 1, sizeof *row);
    const char **texts = arena_alloc(&f->arena, n + 1, sizeof *texts);
    if (!y || !row || !texts)
        return no_memory(e);
    enum status status = cut_ticks(l, frame, f, n, texts, e);
    if (status != ST_OK)
        return status;
    place_ticks(l, n, texts, frame, y, row);
    for (size_t i = 0; i < n; i++) {
        double distance = ROW_OFFSET + row[i] * ROW_HEIGHT;
        double place = t->above ? frame->top - distance : frame->bottom + distance + 2;
        y[i] = 1 - place / FIGURE_HEIGHT;
        if (row[i] < 0)
            texts[i] = "";
    }
    figure_count(f, "tick_count", n);
    figure_count(f, "ticks_above", t->above);
    figure_numbers(f, "tick_x", t->x, n);
    figure_numbers(f, "tick_y", y, n);
    figure_texts(f, "tick_text", texts, n);
    return ST_OK;
}

static void define_range(struct figure *f, const char *axis, const struct range *r)
{
    char name[16];
    snprintf(name, sizeof name, "%s_min", axis);
    figure_number(f, name, r->low);
    snprintf(name, sizeof name, "%s_max", axis);
    figure_number(f, name, r->high);
    snprintf(name, sizeof name, "%s_log", axis);
    figure_count(f, name, r->log);
}

/* Title and notes; returns where they end, from the top. */
static double define_header(const struct layout *l, struct figure *f)
{
    double width = FIGURE_WIDTH - RIGHT_MARGIN - LEFT_MARGIN, end = TITLE_Y + 8;
    define_cut(f, "title_text", l->title, TITLE_FONT, width);
    for (int i = 0; i < 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "note%d_text", i + 1);
        define_cut(f, name, l->notes[i] ? l->notes[i] : "", NOTE_FONT, width);
        if (l->notes[i])
            end += NOTE_STEP;
    }
    return end;
}

enum status layout_define(const struct layout *l, struct figure *f, struct err *e)
{
    struct frame frame = {LEFT_MARGIN, FIGURE_WIDTH - RIGHT_MARGIN, 0, FIGURE_HEIGHT - BOTTOM_MARGIN};
    double width = legend_width(l);
    if (width > 0)
        frame.right -= width;
    double header = define_header(l, f);
    bool upper = l->ticks.title && l->ticks.above;
    figure_number(f, "upper_title_y", 1 - (header + 16) / FIGURE_HEIGHT);
    define_cut(f, "upper_title", upper ? l->ticks.title : "", TEXT_FONT, frame.right - frame.left);
    frame.top = header + (upper ? 36 : 18);
    enum status status = define_ticks(l, &frame, f, e);
    if (status != ST_OK)
        return status;
    figure_number(f, "plot_left", frame.left / FIGURE_WIDTH);
    figure_number(f, "plot_right", frame.right / FIGURE_WIDTH);
    figure_number(f, "plot_bottom", 1 - frame.bottom / FIGURE_HEIGHT);
    figure_number(f, "plot_top", 1 - frame.top / FIGURE_HEIGHT);
    figure_number(f, "legend_left", (frame.right + 12) / FIGURE_WIDTH);
    figure_number(f, "canvas_width", FIGURE_WIDTH);
    figure_number(f, "canvas_height", FIGURE_HEIGHT);
    define_cut(f, "x_title", l->x_title, TEXT_FONT, FIGURE_WIDTH - LEFT_MARGIN - RIGHT_MARGIN);
    define_cut(f, "y_title", l->y_title, TEXT_FONT, FIGURE_HEIGHT);
    define_range(f, "x", &l->x);
    define_range(f, "y", &l->y);
    figure_count(f, "legend_count", l->legend_count);
    define_cut(f, "legend_title", l->legend_title ? l->legend_title : "", LEGEND_FONT, LEGEND_WIDTH);
    status = define_texts(f, "legend_text", l->legend, l->legend_count, LEGEND_FONT, LEGEND_WIDTH, e);
    return f->definitions.failed ? no_memory(e) : status;
}
