#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic int threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, (int)level);
}

static const char *level_prefix(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "error: ";
    case LOG_WARN:
        return "warning: ";
    case LOG_DEBUG:
        return "debug: ";
    case LOG_INFO:
        break;
    }
    return "";
}

/* A line is one line, and what a file name or a library put into it does not control the terminal: each byte
 * of a control character (those above 0x7F have two) becomes '?'. */
static void defuse(char *text)
{
    for (char *s = text; *s; s++) {
        unsigned char first = (unsigned char)s[0], second = (unsigned char)s[1];
        if (first < 0x20 || first == 0x7F) {
            *s = '?';
        } else if (first == 0xC2 && second >= 0x80 && second < 0xA0) {
            *s++ = '?';
            *s = '?';
        }
    }
}

/* "" on a terminal, where people see for themselves when. */
static const char *time_stamp(char out[32])
{
    out[0] = '\0';
    if (!isatty(STDERR_FILENO)) {
        time_t now = time(NULL);
        struct tm local;
        if (localtime_r(&now, &local))
            strftime(out, 32, "%Y-%m-%d %H:%M:%S ", &local);
    }
    return out;
}

void log_line(enum log_level level, const char *format, ...)
{
    if ((int)level > atomic_load(&threshold))
        return;
    char stamp[32], text[2048];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    defuse(text);
    /* One call for the line, so that lines of several threads and workers do not mix. */
    fprintf(stderr, "%s%s%s\n", time_stamp(stamp), level_prefix(level), len < 0 ? format : text);
}

void log_add_line(struct strbuf *out, const char *text)
{
    char stamp[32];
    const size_t before = out->len;
    strbuf_printf(out, "%s%s", time_stamp(stamp), text);
    if (!out->failed)
        defuse(out->text + before);
    strbuf_putc(out, '\n');
}
