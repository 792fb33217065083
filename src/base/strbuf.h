/* A growing string. After an allocation failure `failed` stays set, further
 * appends do nothing, and the text so far stays valid: check once, at the end. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *text; /* terminated; never NULL ("" when empty) */
    size_t len;
    size_t cap;
    bool failed;
};
#define STRBUF_INIT ((struct strbuf){(char *)"", 0, 0, false})

void strbuf_release(struct strbuf *b); /* back to STRBUF_INIT */
void strbuf_clear(struct strbuf *b);   /* keeps the memory */
void strbuf_add(struct strbuf *b, const char *s, size_t n);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_putc(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
