/* What table.c and its helpers share. */
#ifndef REPORT_TABLE_PRIVATE_H
#define REPORT_TABLE_PRIVATE_H

#include <stdint.h>

#include "report/table.h"

/* Writes the collected rows of a text table. */
enum status table_text_write(struct table *t, struct err *e);

/* Decodes one UTF-8 character at s (which is not at its end). Returns its length in bytes; *code is -1 and
 * the length 1 where the bytes are not UTF-8. */
int utf8_decode(const char *s, int32_t *code);
/* Terminal columns of a character: 0 for combining ones, 2 for wide ones, -1 for those that must not reach a
 * terminal. */
int utf8_width(int32_t code);

#endif
