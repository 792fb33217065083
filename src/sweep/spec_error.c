#include "sweep/spec_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status spec_error(struct err *e, const char *path, struct mark at, const char *key, const char *format,
                       ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(e, ST_USAGE, "%s:%d:%d: %s%s%s", path, at.line, at.column, key ? key : "", key ? ": " : "",
                   text);
}

const char *text_quote(const char *text, char out[QUOTED_TEXT])
{
    enum { TAIL = sizeof "...\"" }; /* kept free for the end of a cut text, terminator included */
    size_t n = 0;
    out[n++] = '"';
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        size_t length = c < 0x20 || c == 0x7f ? 4 : 1;
        /* A cut must not fall into a multi-byte character: a lead byte needs room for all that follows. */
        size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : length;
        if (n + whole + TAIL > QUOTED_TEXT) {
            memcpy(out + n, "...", 3);
            n += 3;
            break;
        }
        if (length == 4)
            n += (size_t)snprintf(out + n, 5, "\\x%02x", c);
        else
            out[n++] = (char)c;
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}
