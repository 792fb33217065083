/* UTF-8 and terminal columns, without the locale. */
#ifndef REPORT_UTF8_H
#define REPORT_UTF8_H

#include <stdint.h>

/* Decodes one character at s (which is not at its end). Returns its length in bytes; *code is -1 and the
 * length 1 where the bytes are not UTF-8. */
int utf8_decode(const char *s, int32_t *code);
/* Terminal columns of a character: 0 for combining ones, 2 for wide ones, -1 for those that must not reach a
 * terminal (controls, changes of the writing direction, -1). */
int utf8_width(int32_t code);

#endif
