#include "cli/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/table.h"
#include "report/utf8.h"

enum { DEFAULT_WIDTH = 80, DEFAULT_HEIGHT = 24 };

static const char *const sequences[] = {
    [COLOR_NONE] = "",          [COLOR_BOLD] = "\x1b[1m",    [COLOR_DIM] = "\x1b[2m",
    [COLOR_GREEN] = "\x1b[32m", [COLOR_YELLOW] = "\x1b[33m", [COLOR_RED] = "\x1b[31m"};

bool screen_init(struct screen *s)
{
    const char *terminal = getenv("TERM"), *no_color = getenv("NO_COLOR");
    *s = (struct screen){.text = STRBUF_INIT, .color = !no_color || !*no_color};
    return isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

void screen_release(struct screen *s)
{
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
    if (s->drawn > 0) /* up to the block's first line, and clear from there on */
        strbuf_printf(&s->text, "\x1b[%dA\r\x1b[J", s->drawn);
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

static int add_colored(struct screen *s, enum screen_color color, const char *text, int limit)
{
    bool colored = s->color && color != COLOR_NONE;
    if (colored)
        strbuf_puts(&s->text, sequences[color]);
    int columns = add_visible(&s->text, text, limit);
    if (colored)
        strbuf_puts(&s->text, "\x1b[0m");
    return columns;
}

void screen_lasting_line(struct screen *s, enum screen_color color, const char *text)
{
    add_colored(s, color, text, 0);
    strbuf_putc(&s->text, '\n');
}

/* The last column stays free: some terminals wrap after it. */
void screen_text(struct screen *s, enum screen_color color, const char *text)
{
    int limit = s->width - s->column;
    if (limit > 1)
        s->column += add_colored(s, color, text, limit);
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

void screen_end(struct screen *s)
{
    s->drawn = s->lines;
    fwrite(s->text.text, 1, s->text.len, stderr);
    fflush(stderr);
}
