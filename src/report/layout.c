#include "report/layout.h"

#include <math.h>
#include <string.h>

#include "report/text.h"

/* Pixels. */
enum {
    TITLE_FONT = 16,
    NOTE_FONT = 11,
    TEXT_FONT = 13,
    LEGEND_FONT = 12,
    TITLE_Y = 26, /* middle of the title, from the top */
    NOTE_STEP = 18,
    NOTE_LINES = 4,
    LEFT_MARGIN = 80,
    RIGHT_MARGIN = 24,
    BOTTOM_MARGIN = 58,
    ROW_HEIGHT = 17,     /* of tick labels */
    ROW_OFFSET = 14,     /* middle of the first row, from the axis */
    ROW_WIDTH = 170,     /* longest name of a row */
    ROW_MARGIN = 36,     /* left of it, with a title of the axis there */
    ROW_GAP = 8,         /* between it and what is beside it */
    ROW_SURROUND = 146,  /* above and below the rows */
    MOST_HEIGHT = 16000, /* of a figure: PNG, of twice as many pixels, has at most 32767 */
    TICK_WIDTH = 190,    /* longest tick label */
    TICK_GAP = 8,
    TICK_ROWS = 3,
    TICK_STACKED = 12,  /* more ticks than these get a single row of labels */
    TICK_ROTATED = 110, /* longest of the labels that stand upright, where they do not fit side by side */
    TICK_LINE = 10,     /* from one of those to the next */
    TICK_FONT = 10,     /* of those */
    LEGEND_WIDTH = 250, /* longest entry */
    LEGEND_SAMPLE = 44, /* line sample and the gaps around it */
    LEGEND_ALL = 12,
    LEGEND_BEST = 8,
};

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
        room = fmin(room, 3);
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

enum { NUMBERS_MOST = 10 }; /* steps along an axis */

/* Pixels of the widest number there is at every `step`, and the gap to the next. Of numbers that differ in
 * their last digits only a sum with one is the same again: so they are counted. */
static double numbers_pixels(double low, double high, double step)
{
    const double first = ceil(low / step);
    double widest = 0;
    for (int n = 0; n <= NUMBERS_MOST && (first + n) * step <= high; n++) {
        char text[32];
        snprintf(text, sizeof text, "%g", (first + n) * step);
        widest = fmax(widest, text_pixels(text, TEXT_FONT));
    }
    return widest + TICK_GAP;
}

double range_step(const struct range *r, double pixels)
{
    static const double factors[] = {1, 2, 5};
    const double span = r->high - r->low;
    if (!(span > 0))
        return 1;
    int power = (int)floor(log10(span / NUMBERS_MOST));
    for (;; power++)
        for (int i = 0; i < 3; i++) {
            const double step = factors[i] * pow(10, power);
            if (span / step <= NUMBERS_MOST && numbers_pixels(r->low, r->high, step) <= step / span * pixels)
                return step;
            if (step > span) /* nothing fits: the ends of the axis say it all */
                return step;
        }
}

/* Whether 1, 2 and 5 of every decade have room along a logarithmic axis. */
static bool decades_are_wide(const struct range *r, double pixels)
{
    const double gap = 0.30103 / log10(r->high / r->low) * pixels; /* from 1 to 2, the narrowest */
    double widest = 0;
    for (int decade = (int)floor(log10(r->low)); decade <= (int)ceil(log10(r->high)); decade++) {
        char text[32];
        snprintf(text, sizeof text, "%g", 2 * pow(10, decade));
        widest = fmax(widest, text_pixels(text, TEXT_FONT));
    }
    return widest + TICK_GAP <= gap;
}

enum { MOST_ROWS = 8 };

static bool overlap(const double *fractions, const double *half, size_t i, size_t k)
{
    return i != k && fabs(fractions[i] - fractions[k]) < half[i] + half[k];
}

int labels_place(const double *fractions, const double *half_widths, size_t n, int max_rows, int *row)
{
    size_t latest[MOST_ROWS] = {0}; /* in each row, but for the last label */
    bool filled[MOST_ROWS] = {false};
    int used = 0;
    for (size_t k = 0; k < n; k++) {
        const size_t i = k == 0 ? 0 : k == 1 ? n - 1 : k - 1; /* first, last, the rest in order */
        int candidate = 0;
        while (candidate < max_rows &&
               ((filled[candidate] && overlap(fractions, half_widths, i, latest[candidate])) ||
                (k > 1 && row[n - 1] == candidate && overlap(fractions, half_widths, i, n - 1))))
            candidate++;
        row[i] = candidate < max_rows ? candidate : -1;
        if (candidate == max_rows)
            continue;
        used = candidate >= used ? candidate + 1 : used;
        if (k != 1) {
            latest[candidate] = i;
            filled[candidate] = true;
        }
    }
    return used;
}

/* The best line that is not among the n chosen ones, the first of equal ones. */
static size_t next_best(const double *merit, size_t lines, const bool *chosen)
{
    size_t best = lines;
    for (size_t i = 0; i < lines; i++) {
        const bool better =
            best == lines || (isnan(merit[best]) && !isnan(merit[i])) || merit[i] > merit[best];
        best = !chosen[i] && better ? i : best;
    }
    return best;
}

size_t legend_choose(const double *merit, size_t n, bool *chosen, size_t *order)
{
    const size_t named = n > LEGEND_ALL ? LEGEND_BEST : n;
    for (size_t i = 0; i < n; i++)
        chosen[i] = n <= LEGEND_ALL;
    for (size_t k = 0; n > LEGEND_ALL && k < LEGEND_BEST; k++)
        chosen[next_best(merit, n, chosen)] = true;
    for (size_t i = 0, first = 0, rest = named; i < n; i++)
        if (chosen[i])
            order[first++] = i;
        else
            order[rest++] = i;
    return named;
}

/* The plot's frame, pixels from the left and from the top. */
struct frame {
    double left, right, top, bottom;
    double height; /* of the figure */
};

bool legend_fits(const char *text)
{
    return text_pixels(text, LEGEND_FONT) <= LEGEND_WIDTH;
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

/* Fitted texts of the legend as an array; and the width of the widest. */
static enum status define_legend(const struct layout *l, struct figure *f, double *width, struct err *e)
{
    const char **cut = arena_alloc(&f->arena, l->legend_count + 1, sizeof *cut);
    if (!cut)
        return no_memory(e);
    *width =
        l->legend_count > 0 ? fmin(text_pixels(l->legend_title, TEXT_FONT), LEGEND_WIDTH + LEGEND_SAMPLE) : 0;
    if (!texts_fit(&f->arena, l->legend, l->legend_count, LEGEND_FONT, LEGEND_WIDTH, cut))
        return no_memory(e);
    for (size_t i = 0; i < l->legend_count; i++)
        *width = fmax(*width, fmin(text_pixels(cut[i], LEGEND_FONT), LEGEND_WIDTH) + LEGEND_SAMPLE);
    figure_count(f, "legend_count", l->legend_count);
    define_cut(f, "legend_title", l->legend_title ? l->legend_title : "", TEXT_FONT, *width);
    figure_texts(f, "legend_text", cut, l->legend_count);
    return ST_OK;
}

/* Middle of a tick label of this width, in pixels from the left: over its place, or as near to it as the
 * canvas has room. */
static double label_middle(const struct layout *l, size_t i, double width, const struct frame *frame)
{
    const double place = frame->left + range_fraction(&l->x, l->ticks.x[i]) * (frame->right - frame->left);
    return fmax(fmin(place, FIGURE_WIDTH - width / 2), width / 2);
}

/* Finds rows for labels of these widths, in pixels; false if one found no place. scratch: n. */
static bool place_labels(const struct layout *l, size_t n, const double *widths, const struct frame *frame,
                         int max_rows, double *scratch, int *row, int *rows)
{
    double *half = scratch, *fraction = scratch + n;
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        fraction[i] = label_middle(l, i, widths[i], frame) / FIGURE_WIDTH;
        half[i] = widths[i] / 2 / FIGURE_WIDTH;
    }
    *rows = labels_place(fraction, half, n, max_rows, row);
    for (size_t i = 0; i < n; i++)
        all = all && row[i] >= 0;
    return all;
}

/* Labels below that do not fit side by side stand upright. */
static enum status rotate_ticks(const struct layout *l, size_t n, struct figure *f, struct frame *frame,
                                const char **texts, double *scratch, int *row, struct err *e)
{
    double longest = 0, *widths = scratch + 2 * n;
    int rows;
    if (!texts_fit(&f->arena, l->ticks.texts, n, TICK_FONT, TICK_ROTATED, texts))
        return no_memory(e);
    for (size_t i = 0; i < n; i++) {
        longest = fmax(longest, fmin(text_pixels(texts[i], TICK_FONT), TICK_ROTATED));
        widths[i] = TICK_LINE;
    }
    place_labels(l, n, widths, frame, 1, scratch, row, &rows);
    frame->bottom -= fmax(longest - ROW_HEIGHT, 0);
    return ST_OK;
}

/* Finds places for the tick labels and moves the frame's edge to make room for them. scratch: 3 n. */
static enum status place_ticks(const struct layout *l, size_t n, struct figure *f, struct frame *frame,
                               const char **texts, double *scratch, int *row, bool *rotated, struct err *e)
{
    double *widths = scratch + 2 * n;
    int rows;
    if (!texts_fit(&f->arena, l->ticks.texts, n, TEXT_FONT, TICK_WIDTH, texts))
        return no_memory(e);
    for (size_t i = 0; i < n; i++)
        widths[i] = text_pixels(texts[i], TEXT_FONT) + TICK_GAP;
    const bool all = place_labels(l, n, widths, frame, n > TICK_STACKED ? 1 : TICK_ROWS, scratch, row, &rows);
    *rotated = !l->ticks.above && !all;
    if (*rotated)
        return rotate_ticks(l, n, f, frame, texts, scratch, row, e);
    if (l->ticks.above)
        frame->top += rows * ROW_HEIGHT;
    else if (rows > 1)
        frame->bottom -= (rows - 1) * ROW_HEIGHT;
    return ST_OK;
}

/* Of several labels of one place the last that found a row says that there are more. */
static enum status mark_ticks(const struct layout *l, size_t n, const struct frame *frame,
                              struct arena *arena, const char **texts, const int *row, struct err *e)
{
    const double pixel = 1 / (frame->right - frame->left);
    for (size_t from = 0, to = 0; from < n; from = to) {
        size_t last = n;
        bool more = false;
        const double place = range_fraction(&l->x, l->ticks.x[from]);
        for (to = from; to < n && range_fraction(&l->x, l->ticks.x[to]) - place < pixel; to++) {
            more = more || row[to] < 0;
            last = row[to] >= 0 && (last == n || row[to] > row[last]) ? to : last;
        }
        if (!more || last == n)
            continue;
        texts[last] = arena_printf(arena, "%s, ...", texts[last]);
        if (!texts[last])
            return no_memory(e);
    }
    return ST_OK;
}

static enum status define_ticks(const struct layout *l, struct frame *frame, struct figure *f, struct err *e)
{
    enum { UPRIGHT_OFFSET = 9 }; /* end of an upright label, from the axis */
    const struct ticks *t = &l->ticks;
    size_t n = t->title ? t->count : 0;
    double *y = arena_alloc(&f->arena, 3 * n + 1, sizeof *y),
           *middle = arena_alloc(&f->arena, n + 1, sizeof *middle);
    int *row = arena_alloc(&f->arena, n + 1, sizeof *row);
    const char **texts = arena_alloc(&f->arena, n + 1, sizeof *texts);
    bool rotated = false;
    if (!y || !middle || !row || !texts)
        return no_memory(e);
    enum status status = place_ticks(l, n, f, frame, texts, y, row, &rotated, e);
    if (status == ST_OK)
        status = mark_ticks(l, n, frame, &f->arena, texts, row, e);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < n; i++) {
        double distance = ROW_OFFSET + row[i] * ROW_HEIGHT;
        double place = t->above  ? frame->top - distance
                       : rotated ? frame->bottom + UPRIGHT_OFFSET
                                 : frame->bottom + distance + 2;
        y[i] = 1 - place / frame->height;
        middle[i] = label_middle(l, i, text_pixels(texts[i], TEXT_FONT) + TICK_GAP, frame) / FIGURE_WIDTH;
        if (row[i] < 0)
            texts[i] = "";
    }
    figure_count(f, "tick_count", n);
    figure_count(f, "ticks_above", t->above);
    figure_count(f, "ticks_upright", rotated);
    figure_numbers(f, "tick_x", t->x, n);
    figure_numbers(f, "tick_middle", middle, n);
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

/* The end of as much of a text as fits: all, or up to a "; ", or, where that is not enough, all again. */
static size_t line_length(struct arena *arena, const char *text, double pixels)
{
    size_t length = strlen(text);
    if (text_pixels(text, NOTE_FONT) <= pixels)
        return length;
    for (const char *at = text; (at = strstr(at, "; ")); at++) {
        const char *line = arena_strndup(arena, text, (size_t)(at - text));
        if (line && text_pixels(line, NOTE_FONT) <= pixels)
            length = (size_t)(at - text);
    }
    return length;
}

/* Title and notes; returns where they end, from the top. */
static double define_header(const struct layout *l, struct figure *f)
{
    const double width = FIGURE_WIDTH - RIGHT_MARGIN - LEFT_MARGIN;
    const char *left[2] = {l->notes[0], l->notes[1]};
    double end = TITLE_Y + 8;
    define_cut(f, "title_text", l->title, TITLE_FONT, width);
    for (int i = 0, k = 0; i < NOTE_LINES; i++) {
        char name[16];
        const char *line = "";
        while (k < 2 && (!left[k] || !*left[k]))
            k++;
        if (k < 2) {
            /* The last line of each note has to take all that is left of it: the second one needs a line,
             * too. */
            const bool waits = k == 0 && left[1] && *left[1];
            const bool last = i + 1 + waits >= NOTE_LINES;
            const size_t n = last ? strlen(left[k]) : line_length(&f->arena, left[k], width);
            line = arena_strndup(&f->arena, left[k], n);
            left[k] += n;
            left[k] += strspn(left[k], "; ");
            end += NOTE_STEP;
        }
        snprintf(name, sizeof name, "note%d_text", i + 1);
        f->definitions.failed = f->definitions.failed || !line;
        define_cut(f, name, line ? line : "", NOTE_FONT, width);
    }
    return end;
}

const char *layout_title(struct arena *arena, const char *sweep, const char *block)
{
    const double room = FIGURE_WIDTH - RIGHT_MARGIN - LEFT_MARGIN - 2 * TITLE_FONT;
    const double wanted = text_pixels(block, TITLE_FONT);
    /* Of two long names each has half. */
    const double left = fmax(room - wanted, room / 2);
    const char *cut = text_cut(arena, sweep, TITLE_FONT, left);
    return cut ? arena_printf(arena, "%s: %s", cut, block) : NULL;
}

/* Names of rows, and the margin they need. */
static enum status define_rows(const struct layout *l, struct frame *frame, struct figure *f, struct err *e)
{
    const struct row_names *rows = &l->rows;
    const char **texts = arena_alloc(&f->arena, rows->count + 1, sizeof *texts);
    double *heading = arena_alloc(&f->arena, rows->count + 1, sizeof *heading);
    double widest = 0;
    const double pixels = f->height - ROW_SURROUND; /* about: of the frame */
    size_t last = 0;                                /* with a name that is shown: others leave it its room */
    if (!texts || !heading || !texts_fit(&f->arena, rows->texts, rows->count, NOTE_FONT, ROW_WIDTH, texts))
        return no_memory(e);
    for (size_t i = 0; i < rows->count; i++) {
        heading[i] = rows->heading && rows->heading[i];
        const int font = heading[i] > 0 ? LEGEND_FONT : NOTE_FONT;
        if (heading[i] > 0)
            texts[i] = text_cut(&f->arena, rows->texts[i], font, ROW_WIDTH);
        if (!texts[i])
            return no_memory(e);
        const double apart = fabs(rows->y[i] - rows->y[last]) / (l->y.high - l->y.low) * pixels;
        if (i > 0 && *texts[last] && apart < NOTE_FONT)
            texts[i] = "";
        last = *texts[i] ? i : last;
        widest = fmax(widest, text_pixels(texts[i], font));
    }
    frame->left = fmax(LEFT_MARGIN, widest + (*l->y_title ? ROW_MARGIN : ROW_GAP) + ROW_GAP);
    figure_count(f, "row_count", rows->count);
    figure_numbers(f, "row_y", rows->y, rows->count);
    figure_numbers(f, "row_heading", heading, rows->count);
    figure_texts(f, "row_text", texts, rows->count);
    return ST_OK;
}

/* What numbers stand along the x axis. */
static void define_numbers(const struct layout *l, const struct frame *frame, struct figure *f)
{
    const double pixels = frame->right - frame->left;
    figure_number(f, "x_step", l->x.log ? 0 : range_step(&l->x, pixels));
    figure_text(f, "x_marks", l->x.log && decades_are_wide(&l->x, pixels) ? "1 2 5" : "1");
}

static void define_frame(const struct frame *frame, struct figure *f)
{
    figure_number(f, "plot_left", frame->left / FIGURE_WIDTH);
    figure_number(f, "plot_right", frame->right / FIGURE_WIDTH);
    figure_number(f, "plot_bottom", 1 - frame->bottom / frame->height);
    figure_number(f, "plot_top", 1 - frame->top / frame->height);
    figure_number(f, "legend_left", (frame->right + 12) / FIGURE_WIDTH);
    figure_number(f, "header_left", (double)LEFT_MARGIN / FIGURE_WIDTH);
    figure_number(f, "canvas_width", FIGURE_WIDTH);
    figure_number(f, "canvas_height", frame->height);
}

enum status layout_define(const struct layout *l, struct figure *f, struct err *e)
{
    const double row = l->rows.pixels > 0 ? l->rows.pixels : FIGURE_ROW;
    f->height = fmin(fmax(FIGURE_HEIGHT, row * (double)l->rows.count + ROW_SURROUND), MOST_HEIGHT);
    f->title = arena_strdup(&f->arena, l->title);
    struct frame frame = {LEFT_MARGIN, FIGURE_WIDTH - RIGHT_MARGIN, 0, f->height - BOTTOM_MARGIN, f->height};
    double width = 0;
    enum status status = f->title ? define_legend(l, f, &width, e) : no_memory(e);
    if (status == ST_OK)
        status = define_rows(l, &frame, f, e);
    if (status != ST_OK)
        return status;
    frame.right -= width;
    double header = define_header(l, f);
    bool upper = l->ticks.title && l->ticks.above;
    figure_number(f, "upper_title_y", 1 - (header + 16) / f->height);
    define_cut(f, "upper_title", upper ? l->ticks.title : "", TEXT_FONT, frame.right - frame.left);
    frame.top = header + (upper ? 36 : 18);
    status = define_ticks(l, &frame, f, e);
    if (status != ST_OK)
        return status;
    define_frame(&frame, f);
    define_numbers(l, &frame, f);
    define_cut(f, "x_title", l->x_title, TEXT_FONT, FIGURE_WIDTH - LEFT_MARGIN - RIGHT_MARGIN);
    define_cut(f, "y_title", l->y_title, TEXT_FONT, f->height);
    define_range(f, "x", &l->x);
    define_range(f, "y", &l->y);
    return f->definitions.failed ? no_memory(e) : ST_OK;
}
