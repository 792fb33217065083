#include "base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void strbuf_release(struct strbuf *b)
{
    if (b->cap > 0)
        mem_free(b->text);
    *b = STRBUF_INIT;
}

void strbuf_clear(struct strbuf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->cap > 0)
        b->text[0] = '\0';
}

/* Makes room for n more bytes and the terminator; false (and `failed`) when there is no memory. */
static bool reserve(struct strbuf *b, size_t n)
{
    if (b->failed)
        return false;
    if (b->cap > b->len && b->cap - b->len > n)
        return true;
    size_t needed, cap = b->cap ? b->cap : 64;
    if (__builtin_add_overflow(b->len, n, &needed) || needed >= SIZE_MAX / 2) {
        b->failed = true;
        return false;
    }
    while (cap <= needed)
        cap *= 2;
    char *text = mem_realloc(b->cap ? b->text : NULL, cap, 1);
    if (!text) {
        b->failed = true;
        return false;
    }
    b->text = text;
    b->cap = cap;
    return true;
}

void strbuf_add(struct strbuf *b, const char *s, size_t n)
{
    if (reserve(b, n)) {
        memcpy(b->text + b->len, s, n);
        b->len += n;
        b->text[b->len] = '\0';
    }
}

void strbuf_puts(struct strbuf *b, const char *s)
{
    strbuf_add(b, s, strlen(s));
}

void strbuf_putc(struct strbuf *b, char c)
{
    strbuf_add(b, &c, 1);
}

void strbuf_printf(struct strbuf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        b->failed = true;
        return;
    }
    if (reserve(b, (size_t)len)) {
        va_start(args, format);
        vsnprintf(b->text + b->len, (size_t)len + 1, format, args);
        va_end(args);
        b->len += (size_t)len;
    }
}
