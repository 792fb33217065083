#include "cli/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "report/table.h"
#include "report/utf8.h"

enum { DEFAULT_WIDTH = 80, DEFAULT_HEIGHT = 24, LINES_KEPT_BYTES = 1 << 20 };

static const char *const sequences[] = {
    [COLOR_NONE] = "",          [COLOR_BOLD] = "\x1b[1m",    [COLOR_DIM] = "\x1b[2m",
    [COLOR_GREEN] = "\x1b[32m", [COLOR_YELLOW] = "\x1b[33m", [COLOR_RED] = "\x1b[31m"};

bool screen_init(struct screen *s)
{
    const char *terminal = getenv("TERM"), *no_color = getenv("NO_COLOR");
    *s = (struct screen){.lines_kept = STRBUF_INIT, .text = STRBUF_INIT, .color = !no_color || !*no_color};
    outlet_open(&s->out, STDERR_FILENO);
    return isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

void screen_release(struct screen *s)
{
    outlet_release(&s->out);
    strbuf_release(&s->lines_kept);
    strbuf_release(&s->text);
}

void screen_begin(struct screen *s)
{
    struct winsize size = {0}; /* asked each time: the window may have changed */
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    s->width = size.ws_col > 0 ? size.ws_col : DEFAULT_WIDTH;
    s->height = size.ws_row > 0 ? size.ws_row : DEFAULT_HEIGHT;
    s->column = 0;
    s->lines = 0;
    strbuf_clear(&s->text);
}

/* Returns the columns written, fewer than `limit`. */
static int add_visible(struct strbuf *out, const char *text, int limit)
{
    int column = 0;
    while (*text) {
        int32_t code;
        int length = utf8_decode(text, &code);
        int columns = utf8_width(code);
        if (limit > 0 && columns >= limit - column)
            break;
        if (columns >= 0) {
            strbuf_add(out, text, (size_t)length);
            column += columns;
        }
        text += length;
    }
    return column;
}

static int add_colored(const struct screen *s, struct strbuf *out, enum screen_color color, const char *text,
                       int limit)
{
    bool colored = s->color && color != COLOR_NONE;
    if (colored)
        strbuf_puts(out, sequences[color]);
    int columns = add_visible(out, text, limit);
    if (colored)
        strbuf_puts(out, "\x1b[0m");
    return columns;
}

/* Whether one more line can be kept. */
static bool keeps_line(struct screen *s)
{
    const bool keeps = s->lines_lost == 0 && s->lines_kept.len < LINES_KEPT_BYTES;
    s->lines_lost += !keeps;
    return keeps;
}

void screen_lasting_line(struct screen *s, enum screen_color color, const char *text)
{
    if (keeps_line(s)) {
        add_colored(s, &s->lines_kept, color, text, 0);
        strbuf_putc(&s->lines_kept, '\n');
    }
}

void screen_log_line(struct screen *s, const char *text)
{
    if (keeps_line(s))
        log_add_line(&s->lines_kept, text);
}

/* The last column stays free: some terminals wrap after it. */
void screen_text(struct screen *s, enum screen_color color, const char *text)
{
    int limit = s->width - s->column;
    if (limit > 1)
        s->column += add_colored(s, &s->text, color, text, limit);
}

void screen_field(struct screen *s, enum screen_color color, const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (table_text_width(text) < s->width - s->column)
        screen_text(s, color, text);
    else
        s->column = s->width; /* nor anything after it */
}

void screen_pad(struct screen *s, int column)
{
    for (; s->column < column && s->column + 1 < s->width; s->column++)
        strbuf_putc(&s->text, ' ');
}

void screen_end_line(struct screen *s)
{
    strbuf_putc(&s->text, '\n');
    s->column = 0;
    s->lines++;
}

/* Hands over the lines that were kept and the picture. */
static void hand_over(struct screen *s)
{
    char up[32] = "", lost[80] = "";
    if (s->drawn > 0) /* up to the block's first line, and clear from there on */
        snprintf(up, sizeof up, "\x1b[%dA\r\x1b[J", s->drawn);
    if (s->lines_lost > 0)
        snprintf(lost, sizeof lost, "(%d lines are left out here: nothing could be written)\n",
                 s->lines_lost);
    outlet_send(&s->out, up, strlen(up));
    outlet_send(&s->out, s->lines_kept.text, s->lines_kept.len);
    outlet_send(&s->out, lost, strlen(lost));
    outlet_send(&s->out, s->text.text, s->text.len);
    s->drawn = s->lines;
    s->lines_lost = 0;
    strbuf_clear(&s->lines_kept);
}

void screen_end(struct screen *s)
{
    if (outlet_ready(&s->out))
        hand_over(s);
}

void screen_finish(struct screen *s)
{
    outlet_finish(&s->out);
    hand_over(s);
    outlet_finish(&s->out);
}
