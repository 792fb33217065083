/* Texts of others in a page of HTML: whatever they hold, they stay text. Write errors stay in the stream. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stddef.h>
#include <stdio.h>

/* Between tags, or within a quoted attribute. Bytes that are not UTF-8, controls and changes of the writing
 * direction become U+FFFD; line ends and tabs stay. */
void html_text(FILE *out, const char *text);

/* One JSON string, quoted, for a <script> element: without a character that could end the element or begin a
 * comment in it. */
void html_json(FILE *out, const char *text);

/* XML behind "data:image/svg+xml,", within a quoted attribute. Runs of line ends and tabs become one blank,
 * or nothing behind a tag. */
void html_uri(FILE *out, const char *text, size_t n);

#endif
